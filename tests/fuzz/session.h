/* A run of inputs: begun once, then one input after the other (session.c). Both return 0. */
#ifndef PSD_FUZZ_SESSION_H
#define PSD_FUZZ_SESSION_H

#include <stddef.h>
#include <stdint.h>

int FuzzBegin(void);
int FuzzRun(const uint8_t *bytes, size_t size);
void FuzzEnd(void); /* removes what it has written */

#endif
