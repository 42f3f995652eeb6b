/*
   What an archive says of itself, in some lines: what psdnet info prints of certificate files and checkpoints.
*/
#include "archive_impl.h"
#include <inttypes.h>
#include <petscviewer.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_WORD "psdnet-archive "
#define PREFIX "psdnet-" /* of all formats */

typedef struct {
  char *at;
  size_t room;
} Text;

/* Numbers by name, of which an archive has some; a bound is printed rounded down, what it is compared with rounded up. */
static const struct {
  const char *name;
  int digits;
  PsdRounding rounding;
} numbers[] = {{"iteration", 10, PSD_ROUND_DOWN}, {"n_train", 10, PSD_ROUND_DOWN}, {"branches", 10, PSD_ROUND_DOWN},
               {"beta", 10, PSD_ROUND_DOWN},      {"neurons", 10, PSD_ROUND_DOWN}, {"objective", 10, PSD_ROUND_UP},
               {"bound", 10, PSD_ROUND_DOWN},     {"gap", 3, PSD_ROUND_UP}};

static void Append(Text *text, const char name[], const char value[], size_t length)
{
  const int written = snprintf(text->at, text->room, "  %-15s %.*s\n", name, (int)length, value);

  if (written < 0 || (size_t)written >= text->room) return;
  text->at += written;
  text->room -= (size_t)written;
}

static void AddNumbers(PsdArchive it, Text *text)
{
  char decimal[PSD_DECIMAL_LENGTH];

  for (size_t k = 0; k < sizeof(numbers) / sizeof(*numbers); k++) {
    PetscReal value = 0;
    if (!PsdH5HasAttribute(it->root, numbers[k].name)) continue;
    PsdH5ReadAttribute(it->root, numbers[k].name, PSD_H5_REAL, 1, &value, &it->failure);
    (void)PsdDecimal(value, numbers[k].digits, 'g', numbers[k].rounding, decimal);
    Append(text, numbers[k].name, decimal, strlen(decimal));
  }
}

static void AddText(PsdArchive it, const char name[], Text *text)
{
  static char value[PSD_ARCHIVE_TEXT];
  char *rest = NULL;

  if (!PsdH5HasAttribute(it->root, name)) return;
  PsdH5ReadText(it->root, name, value, sizeof(value), &it->failure);
  if (it->failure.failed) return;
  for (const char *line = strtok_r(value, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), name = "")
    Append(text, name, line, strlen(line));
}

static void Describe(PsdArchive it, Text text)
{
  char value[128];
  const size_t prefix = strncmp(it->format, PREFIX, strlen(PREFIX)) ? 0 : strlen(PREFIX);
  const int written = snprintf(text.at, text.room, "%s\n", it->format + prefix);

  text.at += written;
  text.room -= (size_t)written;
  (void)snprintf(value, sizeof(value), "%s, version %" PetscInt_FMT, it->format, it->version);
  Append(&text, "format", value, strlen(value));
  AddText(it, "loss", &text);
  AddNumbers(it, &text);
  AddText(it, "problem", &text);
  (void)snprintf(value, sizeof(value), "%" PetscInt_FMT " arrays, %" PRIu64 " bytes", it->count, it->bytes);
  Append(&text, "holds", value, strlen(value));
}

/* Root: whether the file begins as archives do, be it damaged or not. */
static PetscBool IsArchive(const char path[])
{
  char begin[sizeof(FIRST_WORD)] = "";
  PsdFailure failure = {0};
  const int descriptor = PsdFileOpenRegular(path, &failure);

  if (descriptor < 0) return PETSC_FALSE;
  const ssize_t done = pread(descriptor, begin, strlen(FIRST_WORD), 0);
  (void)close(descriptor);
  return (PetscBool)(done > 0 && !strcmp(begin, FIRST_WORD));
}

PetscErrorCode PsdArchiveView(MPI_Comm comm, const char path[], PetscViewer viewer, PetscBool *known)
{
  const size_t room = (size_t)2 * PSD_ARCHIVE_TEXT;
  PsdArchive archive;
  PetscMPIInt rank;
  char *text;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  *known = (PetscBool)(rank == 0 && IsArchive(path));
  PetscCallMPI(MPI_Bcast(known, 1, MPIU_BOOL, 0, comm));
  if (!*known) PetscFunctionReturn(0);
  PetscCall(PsdArchiveOpen(comm, path, NULL, 0, &archive));
  PetscCall(PetscCalloc1(room, &text));
  if (rank == 0) Describe(archive, (Text){text, room});
  const PetscErrorCode code = PsdArchiveClose(&archive); /* which checks the arrays as well */
  if (!code) PetscCall(PetscViewerASCIIPrintf(viewer, "%s", text));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(code);
}
