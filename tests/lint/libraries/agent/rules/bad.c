/* bad.c - JSON is read in base/json.c alone. */
#include <jansson.h>
