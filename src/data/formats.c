/*
   The formats there are. A new one is a file of its own that ends in a PsdFormat; here it is declared and listed.
*/
#include "data.h"

extern const PsdFormat PsdFormatCifar10;
extern const PsdFormat PsdFormatIdx;
extern const PsdFormat PsdFormatHdf5;

const PsdFormat *const PsdFormats[] = {&PsdFormatCifar10, &PsdFormatIdx, &PsdFormatHdf5, NULL};

void PsdFormatsDescribe(char text[PSD_FORMATS_LENGTH])
{
  size_t length = 0;
  for (PetscInt k = 0; PsdFormats[k] && length < PSD_FORMATS_LENGTH; k++) {
    const char *separator = !k ? "" : PsdFormats[k + 1] ? ", " : " or ";
    length += (size_t)snprintf(text + length, PSD_FORMATS_LENGTH - length, "%s%s", separator, PsdFormats[k]->name);
  }
}
