/*
   psdnet report: a run as one page of HTML, of the files that it has written. They are told apart by what is in them
   (src/python/psdnet/inputs.py), and the page is made in Python. Images of -data, of whatever format, are given to it as an
   .npy of a file without a name, which is gone with the last process that has it open.
*/
#include "app.h"
#include <psddata.h>
#include <stdlib.h>

#define LOOKED_AT 1000 /* images, where -limit says nothing else */

/* One rank has all images, n x bytes; free() them. *n: on all. */
static PetscErrorCode GatherImages(PsdData data, PetscInt *n, size_t *bytes, unsigned char **all)
{
  PetscFunctionBeginUser;
  const unsigned char *images;
  PetscMPIInt rank, ranks, own, *counts, *starts;
  PetscInt n_local, first;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  PetscCall(PsdDataGetSizes(data, n, &n_local, &first));
  PetscCall(PsdDataGetShard(data, &images, NULL, NULL));
  PetscCall(PsdDataGetImageBytes(data, bytes));
  PsdCheckInput((size_t)*n <= PETSC_MPI_INT_MAX / *bytes,
                "report: %" PetscInt_FMT " images, expected less than 2 GB: see -limit", *n);
  own = (PetscMPIInt)((size_t)n_local * *bytes);
  PetscCall(PetscMalloc2(ranks, &counts, ranks, &starts));
  PetscCallMPI(MPI_Gather(&own, 1, MPI_INT, counts, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  for (PetscMPIInt k = 0; k < ranks && rank == 0; k++) starts[k] = k ? starts[k - 1] + counts[k - 1] : 0;
  PetscCall(PetscMalloc1(rank ? 0 : (size_t)*n * *bytes, all));
  PetscCallMPI(MPI_Gatherv(images, own, MPI_BYTE, *all, counts, starts, MPI_BYTE, 0, PETSC_COMM_WORLD));
  PetscCall(PetscFree2(counts, starts));
  PetscFunctionReturn(0);
}

/* What the numbers of the page's array are: whole ones as they are held, or real ones. */
static const char *TypeOf(const PsdPixels *pixels)
{
  const unsigned one = 1;
  const PetscBool little = (PetscBool)(*(const unsigned char *)&one == 1);
  if (pixels->step > 0) return little ? "<f8" : ">f8";
  return pixels->bits == 8 ? "|u1" : little ? "<u2" : ">u2";
}

/* The header of an .npy: its length makes the numbers begin at a multiple of 64 bytes. */
static void WriteHeader(FILE *file, PsdData data, PetscInt n, const char type[])
{
  PetscInt channels, height, width;
  char text[118 + 1];
  (void)PsdDataGetImageSize(data, &channels, &height, &width);
  const int length = snprintf(text, sizeof(text),
                              "{'descr': '%s', 'fortran_order': False, 'shape': (%" PetscInt_FMT ", %" PetscInt_FMT
                              ", %" PetscInt_FMT ", %" PetscInt_FMT "), }",
                              type, n, channels, height, width);
  (void)fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file);
  (void)fprintf(file, "%s%*s", text, (int)sizeof(text) - 1 - length, "\n");
}

/* Levels as the real numbers that they stand for. */
static void WriteReals(FILE *file, const PsdPixels *pixels, size_t bytes, const unsigned char all[])
{
  for (size_t k = 0; k < bytes; k += (size_t)pixels->bits / 8) {
    const double level = pixels->bits == 8 ? (double)all[k] : (double)*(const unsigned short *)(const void *)(all + k);
    const double number = (double)pixels->low + level * (double)pixels->step;
    (void)fwrite(&number, sizeof(number), 1, file);
  }
}

static void WriteArray(FILE *file, PsdData data, PetscInt n, size_t bytes, const unsigned char all[])
{
  PsdPixels pixels;
  (void)PsdDataGetPixels(data, &pixels);
  WriteHeader(file, data, n, TypeOf(&pixels));
  if (pixels.step > 0) WriteReals(file, &pixels, (size_t)n * bytes, all);
  else (void)fwrite(all, 1, (size_t)n * bytes, file);
}

/* On the root the name by which another program finds the images; else "". */
static PetscErrorCode HandOver(PsdData data, char name[], size_t size)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  PetscMPIInt rank;
  PetscInt n;
  size_t bytes;
  unsigned char *all;
  name[0] = '\0';
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(GatherImages(data, &n, &bytes, &all));
  if (rank == 0) {
    FILE *file = tmpfile();
    if (file) WriteArray(file, data, n, bytes, all);
    if (!file || fflush(file) || ferror(file))
      PsdFailureRecord(&failure, "report: no room for %" PetscInt_FMT " images in /tmp", n);
    else PetscCall(PetscSNPrintf(name, size, "/dev/fd/%d", fileno(file))); /* stays open for the program to come */
  }
  PetscCall(PetscFree(all));
  PetscCall(PsdFailureAgree(PETSC_COMM_WORLD, &failure));
  PetscFunctionReturn(0);
}

/* Reads images for a page that has a model, where -data is given. */
static PetscErrorCode ReadImages(PsdData data, PetscBool given, char name[], size_t size)
{
  PetscFunctionBeginUser;
  name[0] = '\0';
  if (!given) PetscFunctionReturn(0);
  PetscCall(PsdDataSetUp(data));
  PetscCall(HandOver(data, name, size));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunReport(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  (void)exit_status;
  char output[PETSC_MAX_PATH_LEN], images[64];
  const char **words;
  const PetscInt files = invocation->arguments;
  PetscInt count = 0;
  PetscBool done, given;
  PsdData data;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdDataSetPurpose(data, PSD_TO_PREDICT));
  PetscCall(PsdDataSetLimit(data, LOOKED_AT));
  PetscCall(PsdOptionsHeading("Output"));
  PetscCall(PsdOptionPath("-output", "file the page is written to (HTML)", PSD_PATH_OUTPUT, PETSC_TRUE, output));
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-data", &given));
  for (PetscInt k = 0; k < files; k++) PetscCall(PsdPathDeclare("report", invocation->argument[k], PSD_PATH_INPUT));
  PetscCall(PsdOptionsEnd(&done));
  if (!done) {
    PsdCheckInput(files > 0,
                  "report: found no files, expected a model, or what train, path, evaluate and plan have written");
    PetscCall(ReadImages(data, given, images, sizeof(images)));
    PetscCall(PetscMalloc1(files + 5, &words));
    words[count++] = "report";
    for (PetscInt k = 0; k < files; k++) words[count++] = invocation->argument[k];
    words[count++] = "-output";
    words[count++] = output;
    if (images[0]) words[count++] = "-images";
    if (images[0]) words[count++] = images;
    PetscCall(PsdPythonLater(count, words));
    PetscCall(PetscFree(words));
  }
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(0);
}
