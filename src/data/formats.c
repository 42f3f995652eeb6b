/*
   The formats there are. A new one is a file of its own that ends in a PsdFormat; here it is declared and listed.
*/
#include "data.h"
#include <dirent.h>
#include <string.h>

extern const PsdFormat PsdFormatCifar10;
extern const PsdFormat PsdFormatCifar100;
extern const PsdFormat PsdFormatIdx;
extern const PsdFormat PsdFormatHdf5;
extern const PsdFormat PsdFormatNumpy;
extern const PsdFormat PsdFormatPictures;

const PsdFormat *const PsdFormats[] = {&PsdFormatCifar10, &PsdFormatCifar100, &PsdFormatIdx, &PsdFormatHdf5,
                                       &PsdFormatNumpy,   &PsdFormatPictures, NULL};

/* Whether a file is there that the format takes before others. */
static PetscBool HasPreferred(const char directory[], const PsdFormat *format)
{
  PetscBool found = PETSC_FALSE;
  DIR *entries = opendir(directory);
  if (!entries) return PETSC_FALSE;
  for (const struct dirent *entry; !found && (entry = readdir(entries));)
    found = (PetscBool)((*format->matches)(entry->d_name) && (*format->prefers)(entry->d_name));
  (void)closedir(entries);
  return found;
}

/* Of folders in a directory pictures alone are read. */
static PetscBool ReadsBelow(const char name[])
{
  for (PetscInt k = 0; PsdFormats[k]; k++)
    if (PsdFormats[k]->takes_folders && (*PsdFormats[k]->matches)(name)) return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscBool IsBeside(const PsdFormat *format, const char name[])
{
  for (PetscInt k = 0; format->beside && format->beside[k]; k++)
    if (!strcmp(format->beside[k], name)) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscBool PsdDataReadsName(const char directory[], const char name[])
{
  const char *slash = strrchr(name, '/');
  if (slash) return ReadsBelow(slash + 1);
  for (PetscInt k = 0; PsdFormats[k]; k++) {
    const PsdFormat *format = PsdFormats[k];
    if (IsBeside(format, name)) return PETSC_TRUE;
    if ((*format->matches)(name) && ((*format->prefers)(name) || !HasPreferred(directory, format))) return PETSC_TRUE;
  }
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
