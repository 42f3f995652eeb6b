/*
   A text as PETSc's options database. Options that PETSc itself acts upon, and names of files, are no business of a target.
*/
#include "fuzz.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MOST_OPTIONS 64

static PetscBool NamesFile(const char word[])
{
  static const char *const names[] = {"-data",  "-options_file", "-options_file_yaml", "-report",
                                      "-model", "-output",       "-checkpoint",        "-history_file",
                                      "-table", "-certificate",  "-certificate_out"};
  for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
    if (!strcmp(word, names[k])) return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscBool IsName(const char word[])
{
  return (PetscBool)(word && word[0] == '-' && isalpha((unsigned char)word[1]));
}

void FuzzTakeOptions(const FuzzPart *text)
{
  char *words, *rest = NULL;
  int taken = 0;
  if (!text) return;
  words = FuzzAllocate(text->size + 1);
  memcpy(words, text->bytes, text->size);
  words[text->size] = '\0';
  for (char *word = strtok_r(words, " \n", &rest); word && taken < MOST_OPTIONS; taken++) {
    char *next = strtok_r(NULL, " \n", &rest);
    const PetscBool valued = (PetscBool)(next && !IsName(next));
    if (IsName(word) && !NamesFile(word)) FUZZ_MUST(PetscOptionsSetValue(NULL, word, valued ? next : NULL));
    word = valued ? strtok_r(NULL, " \n", &rest) : next;
  }
  free(words);
}

void FuzzForgetOptions(void)
{
  FUZZ_MUST(PetscOptionsClear(NULL));
}
