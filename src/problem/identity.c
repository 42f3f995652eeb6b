/*
   Which problem this is, in words that can be compared, and the transform of the patches in a file.
*/
#include "identity.h"
#include "patches/transform.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CLASSES_LENGTH 1000 /* of the list of labels; the checksum covers those that do not fit */

static void AddLine(char text[], const char format[], ...) PSD_FORMAT(2, 3);

static void AddLine(char text[], const char format[], ...)
{
  const size_t length = strlen(text);
  va_list values;
  va_start(values, format);
  (void)vsnprintf(text + length, PSD_ARCHIVE_TEXT - length, format, values);
  va_end(values);
}

/* Images and the label of each, in their order. */
static PetscErrorCode IdentifyImages(PsdProblem problem, char text[])
{
  PetscFunctionBeginUser;
  const unsigned char *images;
  const PetscInt *classes, *labels;
  PetscInt count, copies, channels, height, width;
  unsigned image_sum, label_sum;
  int32_t *label;
  PetscCall(PsdDataGetShard(problem->data, &images, &classes, NULL));
  PetscCall(PsdDataGetClasses(problem->data, &count, &labels, NULL));
  PetscCall(PsdDataGetCopies(problem->data, &copies));
  PetscCall(PsdDataGetImageSize(problem->data, &channels, &height, &width));
  PetscCall(PetscMalloc1(problem->n_local, &label));
  for (PetscInt i = 0; i < problem->n_local; i++) label[i] = (int32_t)labels[classes[i]];
  const size_t bytes = (size_t)problem->n_local * channels * height * width;
  PetscCall(PsdChecksumRanks(problem->comm, images, bytes, &image_sum));
  PetscCall(PsdChecksumRanks(problem->comm, label, (size_t)problem->n_local * sizeof(*label), &label_sum));
  PetscCall(PetscFree(label));
  AddLine(text, "images %" PetscInt_FMT "\nflip %d\n", problem->n / copies, copies == 2);
  AddLine(text, "size of an image %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT "\nclasses ", channels, height,
          width);
  for (PetscInt k = 0; k < count && strlen(text) < CLASSES_LENGTH; k++)
    AddLine(text, "%s%" PetscInt_FMT, k ? "," : "", labels[k]);
  AddLine(text, "\nchecksum of the images %08x\nchecksum of the labels %08x\n", image_sum, label_sum);
  PetscFunctionReturn(0);
}

/* In the words of the options that a branch is described by. */
static PetscErrorCode IdentifyBranch(PsdPatches branch, PetscInt number, char text[])
{
  PetscFunctionBeginUser;
  PsdPatchGeometry geometry;
  const PsdPatchGeometry *g = &geometry;
  PetscReal whiten;
  PetscInt pca;
  char name[32] = "";
  PetscCall(PsdPatchesGetGeometry(branch, &geometry));
  PetscCall(PsdPatchesGetPreprocessing(branch, &whiten, &pca));
  if (number > 0) (void)snprintf(name, sizeof(name), "branch%d_", (int)number + 1);
  AddLine(text, "%sreduce %" PetscInt_FMT "\n", name, PetscMax(1, g->reduce));
  AddLine(text, "%spatch %" PetscInt_FMT "x%" PetscInt_FMT "\n", name, g->patch_height, g->patch_width);
  AddLine(text, "%sstride %" PetscInt_FMT "\n%spool %" PetscInt_FMT "\n%spool_overlap %" PetscInt_FMT "\n", name,
          g->stride, name, g->pool, name, g->overlap);
  AddLine(text, "%spixel_shift %.17g\n%spixel_scale %.17g\n", name, (double)g->pixel_shift, name,
          (double)g->pixel_scale);
  AddLine(text, "%spatch_normalize %.17g\n", name, (double)g->normalize);
  AddLine(text, "%swhiten %.17g\n%spca %" PetscInt_FMT "\n", name, (double)whiten, name, pca);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemIdentify(PsdProblem problem, char text[])
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  const PetscReal *a = problem->activation;
  PetscInt branches;
  text[0] = '\0';
  PetscCall(IdentifyImages(problem, text));
  PetscCall(PsdPatchesGetBranchCount(problem->patches, &branches));
  AddLine(text, "branches %" PetscInt_FMT "\n", branches);
  for (PetscInt b = 0; b < branches; b++) {
    PsdPatches branch;
    PetscCall(PsdPatchesGetBranch(problem->patches, b, &branch));
    PetscCall(IdentifyBranch(branch, b, text));
  }
  AddLine(text, "loss %s\n", problem->loss.ops->name);
  if (problem->loss.ops->parameter)
    AddLine(text, "%s %.17g\n", problem->loss.ops->parameter->name, (double)problem->loss.parameter);
  AddLine(text, "activation %.17g,%.17g,%.17g\n", (double)a[0], (double)a[1], (double)a[2]);
  AddLine(text, "f %" PetscInt_FMT "\nC %" PetscInt_FMT "\nG %" PetscInt_FMT "\nD %" PetscInt_FMT "\n", blocks->f,
          blocks->C, blocks->G, blocks->D);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdIdentityCheck(const char path[], const char found[], const char expected[])
{
  PetscFunctionBeginUser;
  while (*found || *expected) {
    const int length = (int)strcspn(found, "\n"), other = (int)strcspn(expected, "\n");
    PsdCheckInput(length == other && !strncmp(found, expected, (size_t)length),
                  "%s: of another problem: it is of '%.*s', this run of '%.*s'", path, PetscMin(length, 200), found,
                  PetscMin(other, 200), expected);
    found += length + (found[length] == '\n');
    expected += other + (expected[other] == '\n');
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- transforms */

typedef struct {
  char transform[32], mean[32];
} Names;

static Names NamesOf(PetscInt branch)
{
  Names names;
  (void)snprintf(names.transform, sizeof(names.transform), "/patches/%d/transform", (int)branch);
  (void)snprintf(names.mean, sizeof(names.mean), "/patches/%d/mean", (int)branch);
  return names;
}

PetscErrorCode PsdTransformsAdd(PsdPatches patches, PsdArchive archive)
{
  PetscFunctionBeginUser;
  PetscInt branches, q, f;
  PetscCall(PsdPatchesGetBranchCount(patches, &branches));
  for (PetscInt b = 0; b < branches; b++) {
    const Names names = NamesOf(b);
    const PetscReal *transform;
    PsdPatches branch;
    PetscCall(PsdPatchesGetBranch(patches, b, &branch));
    PetscCall(PsdPatchesGetTransform(branch, &transform, NULL));
    PetscCall(PsdPatchesGetSizes(branch, &q, &f, NULL, NULL));
    if (!transform) continue;
    (void)PsdArchiveAddArray(archive, names.transform, q, f);
    (void)PsdArchiveAddArray(archive, names.mean, 1, q);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTransformsPut(PsdPatches patches, PsdArchive archive)
{
  PetscFunctionBeginUser;
  PetscInt branches, array, q, f;
  MPI_Comm comm;
  PetscMPIInt rank;
  PetscCall(PsdPatchesGetComm(patches, &comm));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PsdPatchesGetBranchCount(patches, &branches));
  for (PetscInt b = 0; b < branches && rank == 0; b++) {
    const Names names = NamesOf(b);
    const PetscReal *transform, *mean;
    PsdPatches branch;
    PetscCall(PsdPatchesGetBranch(patches, b, &branch));
    PetscCall(PsdPatchesGetTransform(branch, &transform, &mean));
    PetscCall(PsdPatchesGetSizes(branch, &q, &f, NULL, NULL));
    if (!transform) continue;
    const PetscInt64 length = PsdArchiveFind(archive, names.transform, (PetscInt64)q * f, &array);
    PsdArchivePut(archive, array, 0, length, transform);
    (void)PsdArchiveFind(archive, names.mean, q, &array);
    PsdArchivePut(archive, array, 0, q, mean);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTransformsGet(PsdPatches patches, PsdArchive archive)
{
  PetscFunctionBeginUser;
  PetscInt branches, transform_array, mean_array, q, f;
  PetscCall(PsdPatchesGetBranchCount(patches, &branches));
  for (PetscInt b = 0; b < branches; b++) {
    const Names names = NamesOf(b);
    PetscReal *transform, *mean;
    PsdPatches branch;
    PetscCall(PsdPatchesGetBranch(patches, b, &branch));
    if (!PsdPatchesNeedStatistics(branch)) continue;
    PetscCall(PsdPatchesGetSizes(branch, &q, &f, NULL, NULL));
    (void)PsdArchiveFind(archive, names.transform, (PetscInt64)q * f, &transform_array);
    (void)PsdArchiveFind(archive, names.mean, q, &mean_array);
    PetscCall(PsdArchiveAgree(archive));
    PetscCall(PetscMalloc2((size_t)q * f, &transform, q, &mean));
    PetscCall(PsdArchiveGetAll(archive, transform_array, transform));
    PetscCall(PsdArchiveGetAll(archive, mean_array, mean));
    PetscCall(PsdPatchesSetTransform(branch, f, transform, mean));
    PetscCall(PetscFree2(transform, mean));
  }
  PetscFunctionReturn(0);
}
