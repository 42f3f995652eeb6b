/*
   Applying a network to images (docs/mathematics.md, section 4): score_t = sum over neurons of class t of
   weight * mean over the patches x of the neuron's region of s(filter . x).

   The transform is folded into the filters once, filter . x = w . p + offset with w = transform filter and
   offset = -mean . w, so that the work on an image is a product of its raw patches p with the w of each region.
*/
#include "network.h"
#include "data/mirror_images.h"
#include "data/shift_images.h"
#include <petscblaslapack.h>

#define BUFFER_BYTES ((size_t)4 << 20) /* of patches, and of products, at a time: both stay in cache */

/* The neurons of one branch, sorted by region: those of region g are first[g] .. first[g+1]-1. */
typedef struct {
  PsdNetwork network;
  PsdPatches patches; /* of the branch that these are the neurons of, ... */
  PetscInt region0;   /* ... whose first region this is in the network's count */
  PetscInt N;         /* neurons of the branch */
  PetscInt q, f, G, positions, C;
  PetscInt *first;            /* G + 1 */
  PetscReal *w;               /* N x q row-major */
  PetscReal *offset, *weight; /* N */
  PetscInt *class;            /* N */
  PetscInt batch;             /* images at a time */
  PetscInt tile;              /* patches in one product */
  PetscInt *count;            /* G: patches of an image in each region */
  PetscReal *rows;            /* positions x q: patches of one image, region after region */
  PetscReal *gathered;        /* batch x positions x q: region after region, in each image after image */
  PetscReal *product;         /* tile x neurons of the fullest region */
  PetscReal *sums;            /* neurons of the fullest region: sum of s over an image's patches */
  PetscReal activation[3];    /* of the branch's neurons */
} Filters;

/* All branches, and what they are cut of: a batch of images, or of their maps. */
typedef struct {
  PsdNetwork network;
  PetscInt branches, batch; /* images at a time */
  Filters filters[PSD_MOST_BRANCHES];
  PsdMaps maps;            /* what patches are cut of instead of the image; NULL: nothing else */
  size_t map_length;       /* numbers of those of one image */
  float *map;              /* of a batch */
  unsigned char *shifted;  /* a batch, with crops, ... */
  unsigned char *mirrored; /* ... and their mirror images */
} Work;

/* order[0..N-1]: the branch's neurons by region */
static PetscErrorCode SortNeurons(Filters *filters, PetscInt order[])
{
  const PsdNetwork network = filters->network;
  PetscInt *next;

  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(filters->first, filters->G + 1));
  for (PetscInt k = 0; k < network->N; k++) {
    const PetscInt g = network->regions[k] - filters->region0;
    if (g >= 0 && g < filters->G) filters->first[g + 1]++;
  }
  for (PetscInt g = 0; g < filters->G; g++) filters->first[g + 1] += filters->first[g];
  PetscCall(PetscMalloc1(filters->G, &next));
  PetscCall(PetscArraycpy(next, filters->first, filters->G));
  for (PetscInt k = 0; k < network->N; k++) {
    const PetscInt g = network->regions[k] - filters->region0;
    if (g >= 0 && g < filters->G) order[next[g]++] = k;
  }
  filters->N = filters->first[filters->G];
  PetscCall(PetscFree(next));
  PetscFunctionReturn(0);
}

/* w and offset of neurons whose filters, in the program's coordinates, are the rows of `sorted`. */
static PetscErrorCode FoldTransform(Filters *filters, const PetscReal sorted[])
{
  const PetscReal *transform, *mean, one = 1, zero = 0;
  PetscBLASInt N, f, q;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(filters->N, &N));
  PetscCall(PetscBLASIntCast(filters->f, &f));
  PetscCall(PetscBLASIntCast(filters->q, &q));
  PetscCall(PsdPatchesGetTransform(filters->patches, &transform, &mean));
  PetscCall(PetscArrayzero(filters->offset, N));
  if (!transform) {
    PetscCall(PetscArraycpy(filters->w, sorted, (size_t)N * q));
  } else if (N) {
    PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &q, &N, &f, &one, transform, &f, sorted, &f, &zero, filters->w, &q));
    for (PetscInt k = 0; k < N; k++)
      for (PetscInt i = 0; i < q; i++) filters->offset[k] -= mean[i] * filters->w[(size_t)k * q + i];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeNeurons(Filters *filters)
{
  const PsdNetwork network = filters->network;
  const PetscInt N = network->N, f = filters->f;
  PetscInt *order;
  PetscReal *sorted;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc5(filters->G + 1, &filters->first, (size_t)N * filters->q, &filters->w, N, &filters->offset, N,
                         &filters->weight, N, &filters->class));
  PetscCall(PetscMalloc2(N, &order, (size_t)N * f, &sorted));
  PetscCall(SortNeurons(filters, order));
  for (PetscInt k = 0; k < filters->N; k++) {
    filters->weight[k] = network->weights[order[k]];
    filters->class[k] = network->classes[order[k]];
    /* a filter ends with its branch's patches */
    PetscCall(PetscArraycpy(sorted + (size_t)k * f, network->filters + (size_t)order[k] * network->f, f));
  }
  PetscCall(FoldTransform(filters, sorted));
  PetscCall(PetscFree2(order, sorted));
  PetscFunctionReturn(0);
}

/* As many images at a time as the buffer of a branch holds; one at least. */
static PetscInt FittingImages(const Filters *filters, PetscInt images)
{
  const size_t patches = (size_t)filters->positions * filters->q;
  const size_t fitting = BUFFER_BYTES / (PetscMax((size_t)1, patches) * sizeof(PetscReal));

  return (PetscInt)PetscMax((size_t)1, PetscMin(fitting, (size_t)images));
}

/* As many of the patches of a batch in a product as the buffer holds; one at least. */
static PetscErrorCode MakeBuffers(Filters *filters, PetscInt batch)
{
  const size_t patches = (size_t)filters->positions * filters->q;
  size_t fullest = 1;

  PetscFunctionBeginUser;
  for (PetscInt g = 0; g < filters->G; g++)
    fullest = PetscMax(fullest, (size_t)(filters->first[g + 1] - filters->first[g]));
  filters->batch = batch;
  const size_t all = (size_t)filters->batch * filters->positions, held = BUFFER_BYTES / (fullest * sizeof(PetscReal));
  filters->tile = (PetscInt)PetscMax((size_t)1, PetscMin(held, all));
  PetscCall(PetscMalloc5(filters->G, &filters->count, patches, &filters->rows, filters->batch * patches,
                         &filters->gathered, filters->tile * fullest, &filters->product, fullest, &filters->sums));
  PetscFunctionReturn(0);
}

static PetscErrorCode FiltersCreate(PsdNetwork network, PsdPatches patches, PetscInt region0, Filters *filters)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(filters, sizeof(*filters)));
  filters->network = network;
  filters->patches = patches;
  filters->region0 = region0;
  filters->C = PsdScoreCount(network->count, network->outputs);
  PetscCall(PsdPatchesGetSizes(patches, &filters->q, &filters->f, &filters->G, &filters->positions));
  PetscCheck(filters->f <= network->f, network->comm, PETSC_ERR_ARG_INCOMP,
             "Filters of %" PetscInt_FMT " numbers for patches of %" PetscInt_FMT, network->f, filters->f);
  PetscCall(TakeNeurons(filters));
  PsdPatchGeometry g;
  PetscCall(PsdPatchesGetGeometry(patches, &g));
  PetscCall(PetscArraycpy(filters->activation, network->training.activation, 3));
  if (g.lift == PSD_LIFT_LINEAR) filters->activation[0] = 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode FiltersDestroy(Filters *filters)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree5(filters->first, filters->w, filters->offset, filters->weight, filters->class));
  PetscCall(PetscFree5(filters->count, filters->rows, filters->gathered, filters->product, filters->sums));
  PetscFunctionReturn(0);
}

static PetscErrorCode WorkCreate(PsdNetwork network, PetscInt images, size_t image_bytes, Work *work)
{
  PetscInt region = 0;

  PetscFunctionBeginUser;
  *work = (Work){.network = network, .batch = images};
  PetscCall(PsdPatchesGetBranchCount(network->patches, &work->branches));
  for (PetscInt b = 0; b < work->branches; b++) {
    PsdPatches patches;
    PetscCall(PsdPatchesGetBranch(network->patches, b, &patches));
    PetscCall(FiltersCreate(network, patches, region, &work->filters[b]));
    region += work->filters[b].G;
    work->batch = FittingImages(&work->filters[b], work->batch);
  }
  for (PetscInt b = 0; b < work->branches; b++) PetscCall(MakeBuffers(&work->filters[b], work->batch));
  PetscCall(PsdPatchesGetMaps(network->patches, &work->maps));
  if (work->maps) PetscCall(PsdMapsGetLength(work->maps, &work->map_length));
  PetscCall(PetscMalloc1((size_t)work->batch * work->map_length, &work->map));
  if (network->crop_shift) PetscCall(PetscMalloc1(work->batch * image_bytes, &work->shifted));
  if (network->crop_mirrored) PetscCall(PetscMalloc1(work->batch * image_bytes, &work->mirrored));
  PetscFunctionReturn(0);
}

static PetscErrorCode WorkDestroy(Work *work)
{
  PetscFunctionBeginUser;
  for (PetscInt b = 0; b < work->branches; b++) PetscCall(FiltersDestroy(&work->filters[b]));
  PetscCall(PetscFree(work->map));
  PetscCall(PetscFree(work->shifted));
  PetscCall(PetscFree(work->mirrored));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- a batch of images */

/* Brings the patches that a region has in all images of a batch together, so that they are one matrix. */
static PetscErrorCode Gather(Filters *filters, PetscInt images, size_t image_bytes, const unsigned char bytes[])
{
  PetscFunctionBeginUser;
  for (PetscInt i = 0; i < images; i++) {
    size_t begin = 0; /* of the region among an image's numbers */
    PetscCall(PsdPatchesExtract(filters->patches, bytes + i * image_bytes, filters->rows, filters->count));
    for (PetscInt g = 0; g < filters->G; g++) {
      const size_t length = (size_t)filters->count[g] * filters->q;
      PetscCall(PetscArraycpy(filters->gathered + images * begin + i * length, filters->rows + begin, length));
      begin += length;
    }
  }
  PetscFunctionReturn(0);
}

/* sums += s(u + offset) of one patch */
static void AddActivations(PetscInt N, const PetscReal activation[3], const PetscReal offset[restrict],
                           const PetscReal u[restrict], PetscReal sums[restrict])
{
  const PetscReal a = activation[0], b = activation[1], c = activation[2];

  for (PetscInt k = 0; k < N; k++) {
    const PetscReal shifted = u[k] + offset[k];
    sums[k] += (a * shifted + b) * shifted + c;
  }
}

static void AddScores(const Filters *filters, PetscInt g, PetscReal scores[])
{
  const PetscInt begin = filters->first[g], end = filters->first[g + 1];

  for (PetscInt k = begin; k < end; k++)
    scores[filters->class[k]] += filters->weight[k] * filters->sums[k - begin] / (PetscReal)filters->count[g];
}

/* What region g adds to the scores of a batch; patches: images x count[g] x q. */
static PetscErrorCode ApplyRegion(Filters *filters, PetscInt g, PetscInt images, const PetscReal patches[],
                                  PetscReal scores[])
{
  const PetscInt begin = filters->first[g], count = filters->count[g], all = images * count;
  const PetscReal one = 1, zero = 0, *w = filters->w + (size_t)begin * filters->q;
  PetscBLASInt N, q, rows;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(filters->first[g + 1] - begin, &N));
  PetscCall(PetscBLASIntCast(filters->q, &q));
  if (!N) PetscFunctionReturn(0);
  for (PetscInt row = 0; row < all; row += filters->tile) {
    PetscCall(PetscBLASIntCast(PetscMin(filters->tile, all - row), &rows));
    PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &N, &rows, &q, &one, w, &q, patches + (size_t)row * q, &q, &zero,
                                        filters->product, &N));
    for (PetscInt k = 0; k < rows; k++) {
      const PetscInt image = (row + k) / count, patch = (row + k) % count;
      if (!patch) PetscCall(PetscArrayzero(filters->sums, N));
      AddActivations(N, filters->activation, filters->offset + begin, filters->product + (size_t)k * N, filters->sums);
      if (patch == count - 1) AddScores(filters, g, scores + (size_t)image * filters->C);
    }
  }
  PetscCall(PetscLogFlops(2.0 * N * q * all + 5.0 * N * all));
  PetscFunctionReturn(0);
}

static PetscErrorCode ApplyBranch(Filters *filters, PetscInt images, size_t image_bytes, const unsigned char bytes[],
                                  PetscReal scores[])
{
  size_t begin = 0;

  PetscFunctionBeginUser;
  PetscCall(Gather(filters, images, image_bytes, bytes));
  for (PetscInt g = 0; g < filters->G; g++) {
    PetscCall(ApplyRegion(filters, g, images, filters->gathered + begin, scores));
    begin += (size_t)images * filters->count[g] * filters->q;
  }
  PetscFunctionReturn(0);
}

/* Adds what all branches have to say of a batch. A map is made once for all of them. */
static PetscErrorCode ApplyBatch(Work *work, PetscInt images, size_t image_bytes, const unsigned char bytes[],
                                 PetscReal scores[])
{
  const size_t stride = work->maps ? work->map_length * sizeof(*work->map) : image_bytes;

  PetscFunctionBeginUser;
  for (PetscInt i = 0; i < images && work->maps; i++)
    PetscCall(PsdMapsApply(work->maps, bytes + i * image_bytes, work->map + i * work->map_length));
  for (PetscInt b = 0; b < work->branches; b++)
    PetscCall(
        ApplyBranch(&work->filters[b], images, stride, work->maps ? (const unsigned char *)work->map : bytes, scores));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- all of them */

/* One batch in all its shifts; scores: the sum over them is added. */
static PetscErrorCode ApplyCrops(Work *work, PetscInt images, size_t image_bytes, const unsigned char bytes[],
                                 PetscReal scores[])
{
  PetscFunctionBeginUser;
  const PetscInt most = work->network->crop_shift;
  PetscInt size[3];
  PsdPixels pixels;
  PetscCall(PsdNetworkGetImageSize(work->network, size));
  PetscCall(PsdNetworkGetPixels(work->network, &pixels));
  for (PetscInt down = -most; down <= most; down++) {
    for (PetscInt across = -most; across <= most; across++) {
      const unsigned char *shifted = bytes;
      if (down || across) {
        PsdShiftImages((PetscInt64)images * size[0], size[1], size[2], pixels.bits, down, across, bytes, work->shifted);
        shifted = work->shifted;
      }
      PetscCall(ApplyBatch(work, images, image_bytes, shifted, scores));
      if (!work->network->crop_mirrored) continue;
      PsdMirrorImages((PetscInt64)images * size[0] * size[1], size[2], (size_t)pixels.bits / 8, shifted,
                      work->mirrored);
      PetscCall(ApplyBatch(work, images, image_bytes, work->mirrored, scores));
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkSetCrops(PsdNetwork network, PetscInt most, PetscBool mirrored)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PetscCheck(most >= 0, network->comm, PETSC_ERR_ARG_OUTOFRANGE, "Crops shifted by %" PetscInt_FMT " pixels", most);
  network->crop_shift = most;
  network->crop_mirrored = mirrored;
  PetscFunctionReturn(0);
}

/* Numbers of a file can be finite, and products of them not; a class that is made of those would be none. */
static PetscErrorCode CheckScores(PsdNetwork network, PsdData data, PetscInt n_local, const PetscReal scores[])
{
  const size_t C = (size_t)PsdScoreCount(network->count, network->outputs);
  const PetscInt64 *indices;
  PsdFailure failure = {0};

  PetscFunctionBeginUser;
  PetscCall(PsdDataGetShard(data, NULL, NULL, &indices));
  for (size_t k = 0; k < (size_t)n_local * C && !failure.failed; k++)
    if (PetscIsInfOrNanReal(scores[k]))
      PsdFailureRecord(&failure,
                       "the network's score %zu of image %" PetscInt64_FMT
                       " is not a finite number: its weights, filters or transforms are too large",
                       k % C, indices[k / C]);
  PetscCall(PsdFailureAgree(network->comm, &failure));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkApply(PsdNetwork network, PsdData data, PetscReal scores[])
{
  PetscInt n, n_local;
  size_t image_bytes;
  Work work;
  const unsigned char *bytes;
  PsdProgress progress;

  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PsdCheckHandle(data);
  PetscCall(PsdNetworkCheckData(network, data));
  PetscCall(PsdDataGetSizes(data, &n, &n_local, NULL));
  PetscCall(PsdDataGetImageBytes(data, &image_bytes));
  PetscCall(PsdDataGetShard(data, &bytes, NULL, NULL));
  const PetscInt C = PsdScoreCount(network->count, network->outputs);
  PetscCall(PetscArrayzero(scores, (size_t)n_local * C));
  PetscCall(PsdProgressCreate(network->comm, "apply", "images", n_local, n, &progress));
  PetscCall(WorkCreate(network, n_local, image_bytes, &work));
  for (PetscInt i = 0; i < n_local; i += work.batch) {
    const PetscInt images = PetscMin(work.batch, n_local - i);
    PetscCall(ApplyCrops(&work, images, image_bytes, bytes + i * image_bytes, scores + (size_t)i * C));
    PetscCall(PsdProgressUpdate(progress, i + images));
  }
  PetscCall(WorkDestroy(&work));
  PetscCall(PsdProgressDestroy(&progress));
  const PetscReal side = 2 * (PetscReal)network->crop_shift + 1, crops = side * side * (network->crop_mirrored ? 2 : 1);
  const size_t length = (size_t)n_local * C;
  for (size_t k = 0; k < length && crops > 1; k++) scores[k] /= crops;
  PetscCall(CheckScores(network, data, n_local, scores));
  PetscFunctionReturn(0);
}

PetscInt PsdNetworkClassify(PetscInt C, const PetscReal scores[])
{
  PetscInt best = 0;

  if (C == 1) return scores[0] > 0;
  for (PetscInt t = 1; t < C; t++)
    if (scores[t] > scores[best]) best = t;
  return best;
}

/* position[k]: the network's class that has the label of the data's class k */
static PetscErrorCode MatchClasses(PsdNetwork network, PsdData data, PetscInt position[])
{
  const PetscInt *labels;
  PetscInt count;

  PetscFunctionBeginUser;
  PetscCall(PsdDataGetClasses(data, &count, &labels, NULL));
  for (PetscInt k = 0; k < count; k++) {
    PetscInt t = 0;
    while (t < network->count && network->labels[t] != labels[k]) t++;
    PsdCheckInput(t < network->count,
                  "images of label %" PetscInt_FMT ", which the network was not trained on; choose with -classes",
                  labels[k]);
    position[k] = t;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkConfusion(PsdNetwork network, PsdData data, const PetscReal scores[], PetscInt64 confusion[],
                                   PetscReal *accuracy)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PsdCheckHandle(data);
  const PetscInt count = network->count, C = PsdScoreCount(count, 0);
  const size_t cells = (size_t)count * count;
  const PetscInt *classes;
  PetscInt data_count, n_local, *position;
  PetscInt64 right = 0, all = 0;
  PsdCheckInput(PsdDataIsLabelled(data), "the images have no labels to compare predictions with");
  PetscCall(PsdDataGetSizes(data, NULL, &n_local, NULL));
  PetscCall(PsdDataGetShard(data, NULL, &classes, NULL));
  PetscCall(PsdDataGetClasses(data, &data_count, NULL, NULL));
  PetscCall(PetscMalloc1(data_count, &position));
  const PetscErrorCode matched = MatchClasses(network, data, position);
  PetscCall(PetscArrayzero(confusion, cells));
  for (PetscInt i = 0; i < n_local && !matched; i++)
    confusion[(size_t)position[classes[i]] * count + PsdNetworkClassify(C, scores + (size_t)i * C)]++;
  PetscCall(PetscFree(position));
  PetscCall(matched);
  PetscCall(PsdSumArray(network->comm, MPIU_INT64, cells, confusion));
  for (size_t k = 0; k < cells; k++) all += confusion[k];
  for (PetscInt t = 0; t < count; t++) right += confusion[(size_t)t * count + t];
  *accuracy = all ? (PetscReal)right / (PetscReal)all : 0;
  PetscFunctionReturn(0);
}
