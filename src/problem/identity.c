/*
   Which problem this is, in words that can be compared.
*/
#include "identity.h"
#include <psdmaps.h>
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

static PetscErrorCode SumLabels(PsdProblem problem, unsigned *sum)
{
  PetscFunctionBeginUser;
  const PetscInt *classes, *label_of;
  int32_t *label;
  PetscCall(PsdDataGetShard(problem->data, NULL, &classes, NULL));
  PetscCall(PsdDataGetClasses(problem->data, NULL, &label_of, NULL));
  PetscCall(PetscMalloc1(problem->n_local, &label));
  for (PetscInt i = 0; i < problem->n_local; i++) label[i] = (int32_t)label_of[classes[i]];
  PetscCall(PsdChecksumRanks(problem->comm, label, (size_t)problem->n_local * sizeof(*label), sum));
  PetscCall(PetscFree(label));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSumSamples(PsdProblem problem, unsigned *images, unsigned *labels)
{
  PetscFunctionBeginUser;
  const unsigned char *bytes;
  const PetscReal *targets;
  size_t image_bytes;
  const size_t n_local = (size_t)problem->n_local;
  PetscCall(PsdDataGetShard(problem->data, &bytes, NULL, NULL));
  PetscCall(PsdDataGetTargets(problem->data, NULL, &targets));
  PetscCall(PsdDataGetImageBytes(problem->data, &image_bytes));
  PetscCall(PsdChecksumRanks(problem->comm, bytes, n_local * image_bytes, images));
  if (problem->outputs == 0) PetscCall(SumLabels(problem, labels));
  else
    PetscCall(PsdChecksumRanks(problem->comm, targets, n_local * (size_t)problem->outputs * sizeof(*targets), labels));
  PetscFunctionReturn(0);
}

/* Images and the label of each, in their order. */
static PetscErrorCode IdentifyImages(PsdProblem problem, char text[])
{
  PetscFunctionBeginUser;
  const PetscInt *labels;
  PetscInt count, copies, shifts, channels, height, width;
  PsdPixels pixels;
  unsigned image_sum, label_sum, weight_sum;
  PetscCall(PsdDataGetClasses(problem->data, &count, &labels, NULL));
  PetscCall(PsdDataGetCopies(problem->data, &copies));
  PetscCall(PsdDataGetImageSize(problem->data, &channels, &height, &width));
  PetscCall(PsdProblemSumSamples(problem, &image_sum, &label_sum));
  PetscCall(PsdDataGetShifts(problem->data, &shifts));
  AddLine(text, "images %" PetscInt_FMT "\nflip %d\n", problem->n / copies / shifts, copies == 2);
  if (shifts > 1) AddLine(text, "shifts %" PetscInt_FMT "\n", shifts);
  AddLine(text, "size of an image %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT "\nclasses ", channels, height,
          width);
  for (PetscInt k = 0; k < count && strlen(text) < CLASSES_LENGTH; k++)
    AddLine(text, "%s%" PetscInt_FMT, k ? "," : "", labels[k]);
  PetscCall(PsdDataGetPixels(problem->data, &pixels));
  if (pixels.step > 0)
    AddLine(text, "\nlevels of a pixel %.17g on, in steps of %.17g", (double)pixels.low, (double)pixels.step);
  AddLine(text, "\nchecksum of the images %08x\n", image_sum);
  AddLine(text, "checksum of the %s %08x\n", problem->outputs > 0 ? "targets" : "labels", label_sum);
  if (!problem->weights) PetscFunctionReturn(0);
  PetscCall(
      PsdChecksumRanks(problem->comm, problem->weights, (size_t)problem->n_local * sizeof(PetscReal), &weight_sum));
  AddLine(text, "checksum of the weights %08x\n", weight_sum);
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
  if (g->stage > 0) AddLine(text, "%sstage %" PetscInt_FMT "\n", name, g->stage);
  if (g->lift == PSD_LIFT_LINEAR) AddLine(text, "%slift linear\n", name);
  if (g->responses) AddLine(text, "%sresponses\n", name);
  AddLine(text, "%swhiten %.17g\n%spca %" PetscInt_FMT "\n", name, (double)whiten, name, pca);
  PetscFunctionReturn(0);
}

/* Of numbers that all ranks have; NULL: none. */
static PetscErrorCode SumNumbers(PsdMaps maps, const PetscReal numbers[], size_t count, unsigned *sum)
{
  PetscFunctionBeginUser;
  MPI_Comm comm;
  PetscMPIInt rank;
  PetscCall(PsdMapsGetComm(maps, &comm));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PsdChecksumRanks(comm, numbers, rank == 0 && numbers ? count * sizeof(*numbers) : 0, sum));
  PetscFunctionReturn(0);
}

/* Filters that were given are known by their checksum. */
static PetscErrorCode IdentifyFilters(PsdMaps maps, char text[])
{
  PetscFunctionBeginUser;
  const PetscReal *filters;
  PsdMapGeometry map;
  PetscInt f;
  unsigned sum;
  PetscCall(PsdMapsGetGeometry(maps, NULL, &map));
  PetscCall(PsdMapsGetFilters(maps, &f, NULL, NULL, &filters));
  PetscCall(SumNumbers(maps, filters, (size_t)map.count * f, &sum));
  AddLine(text, "checksum of the filters of layer1 %08x\n", sum);
  PetscFunctionReturn(0);
}

/* What a stage below has of numbers, by their checksums: filters, and the transforms of patches and channels. */
static PetscErrorCode SumStage(PsdMaps maps, const PsdPatchGeometry *g, const PsdMapGeometry *map, unsigned sum[5])
{
  PetscFunctionBeginUser;
  const PetscReal *filters, *transform, *mean, *channel_transform, *channel_mean;
  const size_t K = (size_t)map->count, q = (size_t)g->channels * g->patch_height * g->patch_width;
  const size_t raw = (map->split ? 2 : 1) * K, k = (size_t)map->channels;
  PetscInt f;
  PetscCall(PsdMapsGetFilters(maps, &f, &transform, &mean, &filters));
  PetscCall(PsdMapsGetChannels(maps, &channel_transform, &channel_mean));
  PetscCall(SumNumbers(maps, filters, K * f, &sum[0]));
  PetscCall(SumNumbers(maps, transform, q * f, &sum[1]));
  PetscCall(SumNumbers(maps, mean, q, &sum[2]));
  PetscCall(SumNumbers(maps, channel_transform, raw * k, &sum[3]));
  PetscCall(SumNumbers(maps, channel_mean, raw, &sum[4]));
  PetscFunctionReturn(0);
}

/* The stages below, from the images on: a line for each, the same for what makes the same maps. */
static PetscErrorCode IdentifyBelow(PsdMaps maps, char text[])
{
  PetscFunctionBeginUser;
  PsdPatchGeometry g;
  PsdMapGeometry map;
  PetscInt stage;
  unsigned sum[5];
  PetscCall(PsdMapsGetBelow(maps, &maps));
  if (!maps) PetscFunctionReturn(0);
  PetscCall(IdentifyBelow(maps, text));
  PetscCall(PsdMapsGetDepth(maps, &stage));
  PetscCall(PsdMapsGetGeometry(maps, &g, &map));
  PetscCall(SumStage(maps, &g, &map, sum));
  AddLine(text, "stage %" PetscInt_FMT ": patch %" PetscInt_FMT "x%" PetscInt_FMT " stride %" PetscInt_FMT, stage,
          g.patch_height, g.patch_width, g.stride);
  AddLine(text, " pool %" PetscInt_FMT " reduce %" PetscInt_FMT " shift %.17g scale %.17g normalize %.17g", g.pool,
          PetscMax(1, g.reduce), (double)g.pixel_shift, (double)g.pixel_scale, (double)g.normalize);
  AddLine(text, " threshold %.17g split %d places %.17g checksums %08x %08x %08x %08x %08x\n", (double)map.threshold,
          map.split, (double)map.normalize, sum[0], sum[1], sum[2], sum[3], sum[4]);
  PetscFunctionReturn(0);
}

/* In the words of the stage's options. */
static PetscErrorCode IdentifyMaps(PsdMaps maps, char text[])
{
  PetscFunctionBeginUser;
  PsdPatchGeometry g;
  PsdMapGeometry map;
  PsdMapRequest request;
  PetscCall(PsdMapsGetGeometry(maps, &g, &map));
  PetscCall(PsdMapsGetRequest(maps, &request));
  AddLine(text, "layer1_filters %s\nlayer1_count %" PetscInt_FMT "\nlayer1_seed %" PetscInt64_FMT "\n", request.kind,
          map.count, request.seed);
  AddLine(text, "layer1_threshold %.17g\nlayer1_split %d\n", (double)map.threshold, map.split);
  AddLine(text, "layer1_patch %" PetscInt_FMT "x%" PetscInt_FMT "\nlayer1_stride %" PetscInt_FMT "\n", g.patch_height,
          g.patch_width, g.stride);
  AddLine(text, "layer1_patch_normalize %.17g\nlayer1_whiten %.17g\nlayer1_pca %" PetscInt_FMT "\n",
          (double)g.normalize, (double)request.whiten, request.pca);
  AddLine(text, "layer1_pool %" PetscInt_FMT "\nlayer1_channels %" PetscInt_FMT "\n", g.pool, map.channels);
  AddLine(text, "layer1_channel_whiten %.17g\nlayer1_normalize %.17g\n", (double)request.channel_whiten,
          (double)map.normalize);
  if (map.responses > 0) AddLine(text, "layer1_responses %" PetscInt_FMT "\n", map.responses);
  if (map.responses > 0 && map.response_scale > 0 && map.response_scale != 1)
    AddLine(text, "layer1_response_scale %.17g\n", (double)map.response_scale);
  if (request.mirror) AddLine(text, "layer1_mirror\n");
  if (request.model[0]) PetscCall(IdentifyFilters(maps, text));
  PetscCall(IdentifyBelow(maps, text));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemIdentify(PsdProblem problem, char text[])
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  const PetscReal *a = problem->request.activation;
  PetscInt branches;
  PsdMaps maps;
  text[0] = '\0';
  PetscCall(IdentifyImages(problem, text));
  PetscCall(PsdPatchesGetMaps(problem->patches, &maps));
  if (maps) PetscCall(IdentifyMaps(maps, text));
  PetscCall(PsdPatchesGetBranchCount(problem->patches, &branches));
  AddLine(text, "branches %" PetscInt_FMT "\n", branches);
  for (PetscInt b = 0; b < branches; b++) {
    PsdPatches branch;
    PetscCall(PsdPatchesGetBranch(problem->patches, b, &branch));
    PetscCall(IdentifyBranch(branch, b, text));
  }
  AddLine(text, "loss %s\n", problem->loss.ops->name);
  if (problem->loss.ops->parameter)
    AddLine(text, "%s %.17g\n", problem->loss.ops->parameter->name, (double)problem->request.loss_parameter);
  AddLine(text, "activation %.17g,%.17g,%.17g\n", (double)a[0], (double)a[1], (double)a[2]);
  AddLine(text, "features in units of 2^%d\n", -problem->units.exponent);
  if (problem->outputs > 0) AddLine(text, "targets in units of 2^%d\n", problem->units.targets);
  AddLine(text, "f %" PetscInt_FMT "\nC %" PetscInt_FMT "\nG %" PetscInt_FMT "\nD %" PetscInt_FMT "\n", blocks->f_max,
          blocks->C, blocks->G, blocks->D);
  PetscFunctionReturn(0);
}

/* The first line that differs, of two texts that are the same on all ranks. */
static void Compare(PsdVisitor v, const char found[], const char expected[])
{
  while (*found || *expected) {
    const int length = (int)strcspn(found, "\n"), other = (int)strcspn(expected, "\n");
    if (length != other || strncmp(found, expected, (size_t)length))
      PsdVisitorFail(v, "of another problem: it is of '%.*s', this run of '%.*s'", PetscMin(length, 200), found,
                     PetscMin(other, 200), expected);
    found += length + (found[length] == '\n');
    expected += other + (expected[other] == '\n');
  }
}

PetscErrorCode PsdIdentityVisit(PsdVisitor v, char identity[])
{
  PetscFunctionBeginUser;
  char *found;
  if (!PsdVisitorIsReading(v)) {
    PetscCall(PsdVisitText(v, "problem", identity));
    PetscFunctionReturn(0);
  }
  PetscCall(PsdVisitorWork(v, PSD_ARCHIVE_TEXT, &found));
  PetscCall(PsdVisitText(v, "problem", found));
  Compare(v, found, identity);
  PetscCall(PsdVisitorAgree(v));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemGetLayout(PsdProblem problem, PsdStateLayout *layout)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  const PetscInt copies = problem->representatives.copies;
  PetscInt n, n_local, first;
  PetscCall(PsdDataGetSizes(problem->data, &n, &n_local, &first));
  *layout = (PsdStateLayout){.comm = problem->comm,
                             .D = blocks->D,
                             .begin = blocks->begin,
                             .length = blocks->length,
                             .samples = n / copies,
                             .C = blocks->C,
                             .first_sample = first / copies,
                             .local_samples = n_local / copies};
  PetscFunctionReturn(0);
}
