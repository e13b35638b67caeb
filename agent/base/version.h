/* version.h - which evmend this is: told by `evmend version` and to every receiver that asks for the version of a product. */
#ifndef EVMEND_BASE_VERSION_H
#define EVMEND_BASE_VERSION_H

#define EVMEND_VERSION "0.1.0"

#endif
