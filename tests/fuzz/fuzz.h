/*
   Fuzzing of the readers (tests/fuzz/run.sh): a target is a reader that is given files of any bytes, and answers each with
   success or with one line. It is built twice: with clang's libFuzzer, which makes inputs up (mutate.c), and with the compiler of
   the other tests, to replay what was found once (replay.c).

   An input is a list of parts, as a reader takes more than one file: a byte for the kind, four for the length (little-endian),
   and so many bytes. A length that goes beyond the end is cut, so that all bytes are an input.
*/
#ifndef PSD_FUZZ_H
#define PSD_FUZZ_H

#include "base/base.h"
#include <stdint.h>

/* ---------------------------------------------------------------- inputs: session.c */

typedef struct {
  uint8_t kind;
  size_t size;
  const uint8_t *bytes;
} FuzzPart;

#define FUZZ_PARTS 8
typedef struct {
  int count;
  FuzzPart part[FUZZ_PARTS];
} FuzzInput;

#define FUZZ_PART_HEAD 5 /* bytes before those of a part */
void FuzzParse(const uint8_t *bytes, size_t size, FuzzInput *input);
/* The first part of a kind; NULL: there is none. */
const FuzzPart *FuzzFind(const FuzzInput *input, int kind);

/* ---------------------------------------------------------------- targets: target_*.c */

typedef struct {
  int kinds; /* of parts: 0 .. kinds - 1 */
  void (*set_up)(void);
  /* The reader's own code: PSD_ERR_INPUT with a line, or success. Everything that was made is freed again. */
  PetscErrorCode (*read)(const FuzzInput *input);
  /* A part made whole again after it was mutated, so that what is behind a first look is reached as well: returns its new size,
     at most `room`. NULL: nothing to be made whole. */
  size_t (*mend)(int kind, uint8_t *bytes, size_t size, size_t room, unsigned seed);
} FuzzTarget;

extern const FuzzTarget FuzzTheTarget;

/* ---------------------------------------------------------------- files: session.c

   In a directory of this process, in memory where there is /dev/shm. */

/* A path there, in a buffer that the next call but three reuses. */
const char *FuzzPath(const char name[]);
void FuzzWriteFile(const char path[], const void *bytes, size_t size);
/* All of a file, to be freed. */
uint8_t *FuzzReadFile(const char path[], size_t *size);
/* Ends the process with a line: the harness itself is at fault. */
void FuzzRequire(int condition, const char what[]);
/* Zeros, never NULL, to be freed. */
void *FuzzAllocate(size_t size);
#define FUZZ_MUST(call) FuzzRequire(!(call), #call)

/* ---------------------------------------------------------------- bytes that are taken as choices: session.c */

typedef struct {
  const uint8_t *at, *end;
} FuzzBytes;

uint8_t FuzzByte(FuzzBytes *bytes); /* 0 at the end */
uint32_t FuzzWord(FuzzBytes *bytes, int size);

/* ---------------------------------------------------------------- options: options.c

   The database gets the options of a text, -name value; names of files are left out. Forget clears it. */
void FuzzTakeOptions(const FuzzPart *text);
void FuzzForgetOptions(void);

#endif
