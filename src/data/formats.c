/*
   The formats there are. A new one is a file of its own that ends in a PsdFormat; here it is declared and listed.
*/
#include "data.h"
#include <string.h>

extern const PsdFormat PsdFormatCifar10;
extern const PsdFormat PsdFormatIdx;
extern const PsdFormat PsdFormatHdf5;

const PsdFormat *const PsdFormats[] = {&PsdFormatCifar10, &PsdFormatIdx, &PsdFormatHdf5, NULL};

PetscBool PsdDataReadsName(const char name[])
{
  for (PetscInt k = 0; PsdFormats[k]; k++)
    if ((*PsdFormats[k]->matches)(name) || !strcmp(PsdFormats[k]->beside, name)) return PETSC_TRUE;
  return PETSC_FALSE;
}

void PsdFormatsDescribe(char text[PSD_FORMATS_LENGTH])
{
  size_t length = 0;
  for (PetscInt k = 0; PsdFormats[k] && length < PSD_FORMATS_LENGTH; k++) {
    const char *separator = !k ? "" : PsdFormats[k + 1] ? ", " : " or ";
    length += (size_t)snprintf(text + length, PSD_FORMATS_LENGTH - length, "%s%s", separator, PsdFormats[k]->name);
  }
}
