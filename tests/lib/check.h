/* check.h - cmocka and what it needs before it. */
#ifndef EVMEND_TESTS_LIB_CHECK_H
#define EVMEND_TESTS_LIB_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
