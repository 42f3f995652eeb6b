/*
   This rank's rows of A P, chunk by chunk: images -> moments -> lifted features -> component along J removed.

   Two ways, one interface. Kept: one array holds all rows; the pass that gathers the statistics of a whitening leaves
   the moments in it, and they are lifted in place, so that no patch is touched twice. Streamed: a chunk is made when
   asked for. In single precision rows are made in double precision, chunk by chunk as they are first asked for. They are
   kept as whole numbers of 32 bits (kept_rows.h), and so are moments until then, in 40 bits and in the same place
   (held_moments.h).

   Where the samples are images and their mirror images (symmetry.h), a mirrored row is made of the image's own, and
   streamed; folded features have one row for both, sqrt 2 Q'Phi, whose products with themselves are Q'A'A Q.
*/
#include "features.h"
#include "base/base.h"
#include "base/sum.h"
#include "held_moments.h"
#include "kept_rows.h"
#include "limits.h"
#include "maps/images.h"
#include "patches/lift.h"
#include "patches/mirror.h"
#include "patches/transform.h"

struct _p_PsdFeatures {
  MPI_Comm comm;
  PsdData data;
  PsdPatches patches;
  PetscReal activation[3];
  size_t memory;
  const PetscReal *weights; /* of the samples here, the data set's; NULL: all are 1 */
  PsdImages images;
  PetscBool borrowed;          /* images are of other features */
  PetscInt n, G, D;            /* samples here; regions, numbers of a lifted feature */
  PsdShape *region;            /* G: what a lifted feature has of each */
  PetscInt copies;             /* samples of an image */
  PsdSymmetry symmetry;        /* borrowed; NULL: every sample is lifted by itself */
  PetscBool folded;            /* rows are folded, one for each image */
  PetscInt moments_length;     /* of one image */
  PetscInt chunk_rows, chunks; /* most rows in a chunk */
  PetscInt *chunk_first;       /* chunks + 1: where each begins here */
  PetscBool may_keep, kept;
  PetscReal *rows;    /* all when kept, else those of a chunk; each of PsdFeaturesLength numbers */
  PetscReal *row;     /* work: one lifted feature, when folded */
  PetscReal *moments; /* work: one image */
  PetscReal *errors;  /* G for each of those rows that is not folded: bounds of what rounding has done to it */
  /* In single precision `rows` has those of a chunk, and, when kept, ... */
  PetscBool single;
  PsdKeptRows kept_rows; /* ... all rows as whole numbers. Before, in their place, ... */
  PsdHeldMoments held;   /* ... the moments of as many images as there is room for, from the first on */
  PetscBool *done;       /* ... chunks: whether they are there; */
  PetscBool exact;       /* they do not serve for PsdFeaturesGetChunk */
  float *rounded;        /* a chunk, with the roots of weights */
  PetscReal squares;     /* sum of squares of all that were rounded, with weights */
};

static PetscErrorCode CutChunks(PsdFeatures it)
{
  PetscFunctionBeginUser;
  PetscInt n, n_local, first, chunks = 0;
  const PetscInt copies = it->copies;
  PetscInt shifts;
  PetscCall(PsdDataGetSizes(it->data, &n, &n_local, &first));
  PetscCall(PsdDataGetShifts(it->data, &shifts));
  const PetscInt each = shifts * copies; /* samples of an image, which are on one rank */
  const PetscInt64 images = n / each;
  it->chunk_rows = PetscMax(1, it->chunk_rows / copies) * copies;
  PetscCall(PetscMalloc1(n_local / it->chunk_rows + PSD_SAMPLE_PARTS + 2, &it->chunk_first));
  for (PetscInt part = 0; part < PSD_SAMPLE_PARTS; part++) {
    const PetscInt part_begin = each * (PetscInt)(images * part / PSD_SAMPLE_PARTS);
    const PetscInt part_end = each * (PetscInt)(images * (part + 1) / PSD_SAMPLE_PARTS);
    const PetscInt begin = PetscMax(part_begin, first), end = PetscMin(part_end, first + n_local);
    for (PetscInt row = begin; row < end; row += it->chunk_rows) it->chunk_first[chunks++] = row - first;
  }
  it->chunk_first[chunks] = n_local;
  it->chunks = chunks;
  it->chunk_rows = 0; /* from here on the longest there is */
  for (PetscInt k = 0; k < chunks; k++)
    it->chunk_rows = PetscMax(it->chunk_rows, it->chunk_first[k + 1] - it->chunk_first[k]);
  PetscFunctionReturn(0);
}

/* Whether rows are kept: those that are asked for more than once, and fit. */
static void Decide(PsdFeatures it)
{
  const size_t number = it->single ? PSD_KEPT_BYTES : sizeof(PetscReal);
  const size_t rows = (size_t)(it->n / PsdFeaturesSamplesPerRow(it));
  it->kept = (PetscBool)(it->may_keep && rows * (size_t)PsdFeaturesLength(it) * number <= it->memory);
}

static PetscErrorCode CreateRegions(PsdFeatures it)
{
  PetscFunctionBeginUser;
  PetscInt *f, at = 0;
  PetscBool *vector;
  PetscCall(PetscMalloc1(it->G, &it->region));
  PetscCall(PetscMalloc2(it->G, &f, it->G, &vector));
  PsdPatchesGetDimensions(it->patches, f, vector);
  for (PetscInt g = 0; g < it->G; g++) {
    const PetscInt d = f[g] + 1, m = vector[g] ? d : PsdPackedLength(d);
    it->region[g] = (PsdShape){f[g], d, m, at, vector[g]};
    at += m;
  }
  PetscCall(PetscFree2(f, vector));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFeaturesCreate(PsdData data, PsdPatches patches, const PetscReal activation[3], size_t memory,
                                 PsdFeatures *features)
{
  PetscFunctionBeginUser;
  PsdFeatures it;
  PetscCall(PetscNew(&it));
  PetscCall(PsdPatchesGetComm(patches, &it->comm));
  it->data = data;
  it->patches = patches;
  it->memory = memory;
  PetscCall(PetscArraycpy(it->activation, activation, 3));
  PetscCall(PsdDataGetSizes(data, NULL, &it->n, NULL));
  PetscCall(PsdDataGetCopies(data, &it->copies));
  PetscCall(PsdDataGetWeights(data, &it->weights));
  PetscCall(PsdPatchesGetSizes(patches, NULL, NULL, &it->G, NULL));
  PetscCall(CreateRegions(it));
  it->D = PsdPatchesLiftedLength(patches);
  it->moments_length = PsdPatchesMomentsLength(patches);

  const size_t row_bytes = it->D * sizeof(PetscReal);
  it->may_keep = PETSC_TRUE;
  it->chunk_rows = (PetscInt)PetscMax(1, PetscMin(PSD_CHUNK_ROWS, PSD_CHUNK_BYTES / row_bytes));
  PetscCall(CutChunks(it));
  Decide(it);
  PetscCall(PsdImagesCreate(data, patches, it->kept ? 0 : memory, &it->images));
  *features = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFeaturesSetSymmetry(PsdFeatures it, PsdSymmetry symmetry, PetscBool fold)
{
  PetscFunctionBeginUser;
  PetscCheck(it->copies == 2 && !it->rows, it->comm, PETSC_ERR_ARG_WRONGSTATE,
             "Symmetric features need mirror images, and to be told before they are set up");
  it->symmetry = symmetry;
  it->folded = it->may_keep = fold;
  Decide(it);
  PetscFunctionReturn(0);
}

/* What belongs to rows in the one precision or the other. */
static PetscErrorCode FreeRows(PsdFeatures it)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(it->rows));
  PetscCall(PetscFree(it->errors));
  PetscCall(PetscFree(it->row));
  PetscCall(PsdHeldDestroy(&it->held));
  PetscCall(PsdKeptRowsDestroy(&it->kept_rows));
  PetscCall(PetscFree(it->done));
  PetscCall(PetscFree(it->rounded));
  PetscFunctionReturn(0);
}

static PetscErrorCode FreeImages(PsdFeatures it)
{
  PetscFunctionBeginUser;
  if (!it->borrowed) PetscCall(PsdImagesDestroy(&it->images));
  it->images = NULL;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFeaturesShareImages(PsdFeatures it, PsdFeatures folded)
{
  PetscFunctionBeginUser;
  PetscCall(FreeImages(it));
  PetscCall(FreeImages(folded));
  PetscCall(PsdImagesCreate(it->data, it->patches, folded->kept ? 0 : it->memory, &it->images));
  folded->images = it->images;
  folded->borrowed = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFeaturesSetSingle(PsdFeatures it, PetscBool single)
{
  PetscFunctionBeginUser;
  PetscCheck(!single || !it->rows, it->comm, PETSC_ERR_ARG_WRONGSTATE,
             "Features are rounded from the start or not at all");
  if (it->single) PetscCall(FreeRows(it));
  it->single = single;
  Decide(it);
  if (it->borrowed) PetscFunctionReturn(0);
  PetscCall(PsdImagesDestroy(&it->images));
  PetscCall(PsdImagesCreate(it->data, it->patches, it->kept ? 0 : it->memory, &it->images));
  PetscFunctionReturn(0);
}

void PsdFeaturesSetExact(PsdFeatures features)
{
  features->exact = PETSC_TRUE;
}

PetscBool PsdFeaturesAreRounded(PsdFeatures it)
{
  return (PetscBool)(it->single && it->kept && it->done && (it->done[0] || it->held) && !it->exact);
}

PetscReal PsdFeaturesGetSquares(PsdFeatures features)
{
  return features->squares;
}

PetscInt PsdFeaturesLength(PsdFeatures it)
{
  return it->folded ? it->symmetry->order : it->D;
}

PetscInt PsdFeaturesSamplesPerRow(PsdFeatures it)
{
  return it->folded ? it->copies : 1;
}

static PetscErrorCode Moments(PsdFeatures it, PetscInt i, PetscReal moments[])
{
  PetscFunctionBeginUser;
  const void *image;
  PetscCall(PsdImagesGet(it->images, i, &image));
  PetscCall(PsdPatchesMoments(it->patches, image, moments));
  PetscCall(PetscLogFlops(PsdPatchesMomentsFlops(it->patches)));
  PetscFunctionReturn(0);
}

/* moments: which may be where row is. lost: NULL: they are as computed. */
static PetscErrorCode Lift(PsdFeatures it, const PetscReal moments[], const PetscReal lost[], PetscReal row[],
                           PetscReal errors[])
{
  PetscFunctionBeginUser;
  if (!it->folded) PsdPatchesLiftErrors(it->patches, it->activation, moments, lost, errors);
  PetscCall(PsdPatchesLift(it->patches, it->activation, moments, row));
  for (PetscInt g = 0; g < it->G; g++) PsdShapeRemoveJ(&it->region[g], row + it->region[g].at);
  PetscCall(PetscLogFlops(PsdPatchesLiftFlops(it->patches)));
  PetscFunctionReturn(0);
}

/* Samples that are lifted at once: images and their mirror images follow each other. */
static PetscInt LiftedAtOnce(PsdFeatures it)
{
  return it->symmetry ? it->copies : 1;
}

/* The rows of samples first .. first + count - 1, and their errors; the moments of the first `held` samples are there. */
static PetscErrorCode MakeRows(PsdFeatures it, PetscInt first, PetscInt count, PetscInt held, PetscReal *row,
                               PetscReal *errors)
{
  PetscFunctionBeginUser;
  const PetscInt step = LiftedAtOnce(it);
  for (PetscInt i = first; i < first + count; i += step) {
    const PetscReal *lost = NULL;
    if (i < held) PsdHeldGet(it->held, i, it->moments, &lost);
    else PetscCall(Moments(it, i, it->moments));
    PetscCall(Lift(it, it->moments, lost, it->folded ? it->row : row, errors));
    if (it->folded) {
      PsdSymmetryFold(it->symmetry, PETSC_SQRT2, it->row, row);
    } else if (it->symmetry) {
      PsdSymmetryMirror(it->symmetry, row, row + it->D);
      PsdSymmetryMirrorRegions(it->symmetry, errors, errors + it->G);
    }
    row += it->folded ? (size_t)it->symmetry->order : (size_t)step * it->D;
    if (!it->folded) errors += (size_t)step * it->G;
  }
  PetscFunctionReturn(0);
}

/* Adds the moments of chunk k to the statistics. They stay in `place`, one where each row of doubles will be and can be
   lifted, or, place NULL, are held where there is room. The statistics of symmetric patches are those of the images
   alone, made symmetric. */
static PetscErrorCode AddChunkStatistics(PsdFeatures it, PetscInt k, PetscReal *place, PetscInt length, PetscReal sum[],
                                         PsdProgress progress)
{
  PetscFunctionBeginUser;
  const PetscInt held = PsdHeldCount(it->held);
  const PetscInt step = PsdPatchesAreMirrored(it->patches) && !place && held == 0 ? it->copies : 1;
  PetscCall(PetscArrayzero(sum, length));
  for (PetscInt i = it->chunk_first[k]; i < it->chunk_first[k + 1]; i += step) {
    PetscReal *moments = place ? place + (size_t)i * (size_t)it->D : it->moments;
    PetscCall(Moments(it, i, moments));
    PsdPatchesAddStatistics(it->patches, moments, it->weights ? it->weights[i] : 1, sum);
    if (i < held) PsdHeldPut(it->held, i, moments);
    PetscCall(PsdProgressUpdate(progress, i + step));
  }
  PetscFunctionReturn(0);
}

/* The transform of the patches, from the moments of all images on all ranks. */
static PetscErrorCode GatherStatistics(PsdFeatures it, PetscReal *place)
{
  PetscFunctionBeginUser;
  PetscReal *chunk;
  PsdSum sum;
  PsdProgress progress;
  PetscInt n;
  const PetscInt length = PsdPatchesStatisticsLength(it->patches);
  PetscCall(PsdDataGetSizes(it->data, &n, NULL, NULL));
  PetscCall(PetscMalloc1(length, &chunk));
  PetscCall(PsdSumCreate(length, &sum));
  PetscCall(PsdProgressCreate(it->comm, "patches", "images", it->n, n, &progress));
  for (PetscInt k = 0; k < it->chunks; k++) {
    PetscCall(AddChunkStatistics(it, k, place, length, chunk, progress));
    PsdSumAdd(sum, 0, length, chunk);
  }
  PetscCall(PsdProgressDestroy(&progress));
  PetscCall(PsdSumReduce(sum, it->comm, chunk));
  PetscCall(PsdPatchesSetStatistics(it->patches, chunk));
  PetscCall(PsdSumDestroy(&sum));
  PetscCall(PetscFree(chunk));
  PetscFunctionReturn(0);
}

static PetscErrorCode LiftAll(PsdFeatures it, PetscBool in_place)
{
  PetscFunctionBeginUser;
  PsdProgress progress;
  PetscInt n;
  PetscCall(PsdDataGetSizes(it->data, &n, NULL, NULL));
  PetscCall(PsdProgressCreate(it->comm, "lift", "images", it->n, n, &progress));
  const PetscInt step = LiftedAtOnce(it);
  for (PetscInt i = 0; i < it->n; i += step) {
    PetscReal *row = it->rows + (size_t)(i / PsdFeaturesSamplesPerRow(it)) * PsdFeaturesLength(it);
    PetscReal *errors = it->folded ? NULL : it->errors + (size_t)i * it->G;
    if (in_place) PetscCall(Lift(it, row, NULL, row, errors));
    else PetscCall(MakeRows(it, i, step, 0, row, errors));
    PetscCall(PsdProgressUpdate(progress, i + step));
  }
  PetscCall(PsdProgressDestroy(&progress));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFeaturesGatherStatistics(PsdFeatures it)
{
  PetscFunctionBeginUser;
  PetscCall(PsdPhaseBegin(PSD_PHASE_LIFT));
  PetscCall(PsdImagesFit(it->images));
  if (!it->moments) PetscCall(PetscMalloc1(it->moments_length, &it->moments));
  if (PsdPatchesNeedStatistics(it->patches)) PetscCall(GatherStatistics(it, NULL));
  PetscCall(PsdPhaseEnd(PSD_PHASE_LIFT));
  PetscFunctionReturn(0);
}

/* What has a unit of its own is a region, or all of a folded row, which no certificate is made of. */
static PetscErrorCode KeepWhole(PsdFeatures it, size_t rows)
{
  PetscFunctionBeginUser;
  PetscInt *length;
  const PetscInt all = PsdFeaturesLength(it);
  PetscCall(PetscMalloc1(it->G, &length));
  for (PetscInt g = 0; g < it->G; g++) length[g] = it->region[g].m;
  PetscCall(PsdKeptRowsCreate(rows, it->folded ? 1 : it->G, it->folded ? &all : length, &it->kept_rows));
  PetscCall(PetscFree(length));
  PetscFunctionReturn(0);
}

static PetscErrorCode AllocateRows(PsdFeatures it)
{
  PetscFunctionBeginUser;
  const size_t of_chunk = (size_t)PsdFeaturesChunkRows(it), length = (size_t)PsdFeaturesLength(it);
  const size_t kept = it->kept ? (size_t)(it->n / PsdFeaturesSamplesPerRow(it)) : of_chunk;
  PetscCall(PetscMalloc1((it->single ? of_chunk : kept) * length, &it->rows));
  if (it->folded) PetscCall(PetscMalloc1(it->D, &it->row));
  else PetscCall(PetscMalloc1(kept * (size_t)it->G, &it->errors));
  it->squares = 0;
  if (!it->single) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(it->chunks + 1, &it->done));
  if (!it->kept) PetscFunctionReturn(0);
  PetscCall(KeepWhole(it, kept));
  PetscFunctionReturn(0);
}

/* Where rows are kept in single precision there is room for most moments of the statistics' pass. A row that is kept is
   shorter than the moments that it is made of and those before it, so that it reaches none that are still to be lifted. */
static PetscErrorCode HoldMoments(PsdFeatures it)
{
  PetscFunctionBeginUser;
  size_t bytes;
  PetscInt *length;
  if (!it->single || !it->kept || it->folded) PetscFunctionReturn(0);
  void *place = PsdKeptRowsPlace(it->kept_rows, &bytes);
  if (PSD_HELD_BYTES * (size_t)it->moments_length * (size_t)it->n < bytes) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(it->G, &length));
  PsdPatchesMomentsLengths(it->patches, length);
  PetscCall(PsdHeldCreate(it->G, length, it->n, bytes, place, &it->held));
  PetscCall(PetscFree(length));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFeaturesSetUp(PsdFeatures it)
{
  PetscFunctionBeginUser;
  const PetscBool statistics = PsdPatchesNeedStatistics(it->patches);
  PetscInt branches;
  if (it->rows) PetscFunctionReturn(0);
  PetscCall(PsdPatchesGetBranchCount(it->patches, &branches));
  const PetscBool at_once = (PetscBool)(it->kept && !it->single);
  /* moments, where rows go */
  const PetscBool in_place = (PetscBool)(statistics && at_once && branches == 1 && it->moments_length <= it->D);
  PetscCall(PsdPhaseBegin(PSD_PHASE_LIFT));
  PetscCall(AllocateRows(it));
  if (!it->moments) PetscCall(PetscMalloc1(it->moments_length, &it->moments));
  PetscCall(PsdImagesFit(it->images));
  if (statistics) PetscCall(HoldMoments(it));
  if (statistics) PetscCall(GatherStatistics(it, in_place ? it->rows : NULL));
  if (at_once) PetscCall(LiftAll(it, in_place));
  PetscCall(PsdPhaseEnd(PSD_PHASE_LIFT));
  PetscFunctionReturn(0);
}

PetscInt PsdFeaturesCountChunks(PsdFeatures features)
{
  return features->chunks;
}

PetscBool PsdFeaturesAreKept(PsdFeatures features)
{
  return features->kept;
}

PetscInt PsdFeaturesChunkRows(PsdFeatures features)
{
  return features->chunk_rows / PsdFeaturesSamplesPerRow(features);
}

/* Where the rows of chunk k are, or their errors: in what is kept of all, or in what there is of one. */
static size_t FirstRow(PsdFeatures it, PetscInt k)
{
  return it->kept ? (size_t)(it->chunk_first[k] / PsdFeaturesSamplesPerRow(it)) : 0;
}

/* Whether chunk k is made of what is kept as whole numbers. */
static PetscBool IsWhole(PsdFeatures it, PetscInt k)
{
  return (PetscBool)(it->single && it->kept && it->done[k] && !it->exact);
}

void PsdFeaturesSizeChunk(PsdFeatures it, PetscInt k, PetscInt *first, PetscInt *rows, PetscInt *ld)
{
  *first = it->chunk_first[k];
  *rows = (it->chunk_first[k + 1] - *first) / PsdFeaturesSamplesPerRow(it);
  *ld = PsdFeaturesLength(it);
}

PetscErrorCode PsdFeaturesFindChunk(PsdFeatures it, PetscInt k, PetscInt *first, PetscInt *rows, PetscInt *ld)
{
  PetscFunctionBeginUser;
  const PetscInt samples = it->chunk_first[k + 1] - it->chunk_first[k];
  PsdFeaturesSizeChunk(it, k, first, rows, ld);
  if (IsWhole(it, k) || (it->kept && !it->single)) PetscFunctionReturn(0);
  PetscCall(PsdPhaseBegin(PSD_PHASE_LIFT));
  PetscReal *errors = it->folded ? NULL : it->errors + FirstRow(it, k) * (size_t)it->G;
  const PetscInt held = it->kept && !it->done[k] && !it->exact ? PsdHeldCount(it->held) : 0;
  PetscCall(MakeRows(it, *first, samples, held, it->rows, errors));
  PetscCall(PsdPhaseEnd(PSD_PHASE_LIFT));
  PetscFunctionReturn(0);
}

const PetscReal *PsdFeaturesGetRows(PsdFeatures it, PetscInt k, PetscInt first, PetscInt rows)
{
  const size_t length = (size_t)PsdFeaturesLength(it);
  if (!IsWhole(it, k)) return it->rows + ((it->single ? 0 : FirstRow(it, k)) + (size_t)first) * length;
  for (size_t i = 0; i < (size_t)rows; i++)
    PsdKeptRowsGet(it->kept_rows, FirstRow(it, k) + (size_t)first + i, it->rows + i * length);
  return it->rows;
}

PetscErrorCode PsdFeaturesGetChunk(PsdFeatures it, PetscInt k, PetscInt *first, PetscInt *rows, const PetscReal *phi[],
                                   PetscInt *ld)
{
  PetscFunctionBeginUser;
  PetscCall(PsdFeaturesFindChunk(it, k, first, rows, ld));
  *phi = PsdFeaturesGetRows(it, k, 0, *rows);
  PetscFunctionReturn(0);
}

/* Rows first .. first + rows - 1 of chunk k, where the rows of a chunk are. */
static PetscErrorCode MakePart(PsdFeatures it, PetscInt k, PetscInt first, PetscInt rows)
{
  PetscFunctionBeginUser;
  const PetscInt samples = PsdFeaturesSamplesPerRow(it), held = it->kept && !it->exact ? PsdHeldCount(it->held) : 0;
  if (IsWhole(it, k)) {
    (void)PsdFeaturesGetRows(it, k, first, rows);
    PetscFunctionReturn(0);
  }
  PetscReal *errors = it->folded ? NULL : it->errors + (FirstRow(it, k) + (size_t)first) * (size_t)it->G;
  PetscCall(MakeRows(it, it->chunk_first[k] + first * samples, rows * samples, held, it->rows, errors));
  PetscFunctionReturn(0);
}

/* The same rows, rounded, and kept when they are there for the first time. */
static void RoundPart(PsdFeatures it, PetscInt k, PetscInt first, PetscInt rows)
{
  const PetscInt samples = PsdFeaturesSamplesPerRow(it);
  const size_t length = (size_t)PsdFeaturesLength(it);
  for (size_t i = 0; i < (size_t)rows; i++) {
    const PetscReal *restrict from = it->rows + i * length;
    float *restrict to = it->rounded + ((size_t)first + i) * length;
    const size_t row = FirstRow(it, k) + (size_t)first + i;
    const PetscReal weight = it->weights ? it->weights[it->chunk_first[k] + (first + (PetscInt)i) * samples] : 1;
    const PetscReal root = PetscSqrtReal(weight);
    for (size_t j = 0; j < length; j++) to[j] = (float)(root * from[j]);
    it->squares += weight * PsdSquare((PetscInt)length, from);
    if (it->kept && !it->done[k])
      PsdKeptRowsPut(it->kept_rows, row, from, it->errors ? it->errors + row * (size_t)it->G : NULL);
  }
}

PetscErrorCode PsdFeaturesGetSingle(PsdFeatures it, PetscInt k, PsdFeaturesVisit visit, void *context,
                                    const float *phi[])
{
  PetscFunctionBeginUser;
  PetscInt begin, rows, ld;
  PsdFeaturesSizeChunk(it, k, &begin, &rows, &ld);
  if (!it->rounded) PetscCall(PetscMalloc1((size_t)PsdFeaturesChunkRows(it) * (size_t)ld, &it->rounded));
  for (PetscInt first = 0; first < rows; first += PSD_PART_ROWS) {
    const PetscInt part = PetscMin(PSD_PART_ROWS, rows - first);
    PetscCall(PsdPhaseBegin(PSD_PHASE_LIFT));
    PetscCall(MakePart(it, k, first, part));
    RoundPart(it, k, first, part);
    PetscCall(PsdPhaseEnd(PSD_PHASE_LIFT));
    if (visit) PetscCall((*visit)(context, begin + first * PsdFeaturesSamplesPerRow(it), part, it->rows));
  }
  it->done[k] = PETSC_TRUE;
  if (k == it->chunks - 1) PetscCall(PsdHeldDestroy(&it->held));
  *phi = it->rounded;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFeaturesFreeSingle(PsdFeatures features)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(features->rounded));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFeaturesComplete(PsdFeatures it)
{
  PetscFunctionBeginUser;
  const float *single;
  for (PetscInt k = 0; it->single && it->kept && !it->exact && k < it->chunks; k++)
    if (!it->done[k]) PetscCall(PsdFeaturesGetSingle(it, k, NULL, NULL, &single));
  PetscCall(PsdFeaturesFreeSingle(it));
  PetscFunctionReturn(0);
}

void PsdFeaturesGetErrors(PsdFeatures it, PetscInt k, const PetscReal *errors[])
{
  *errors = it->errors + FirstRow(it, k) * (size_t)it->G;
}

PetscErrorCode PsdFeaturesDestroy(PsdFeatures *features)
{
  PetscFunctionBeginUser;
  if (!*features) PetscFunctionReturn(0);
  PetscCall(FreeRows(*features));
  PetscCall(PetscFree((*features)->chunk_first));
  PetscCall(PetscFree((*features)->moments));
  PetscCall(PetscFree((*features)->region));
  PetscCall(FreeImages(*features));
  PetscCall(PetscFree(*features));
  PetscFunctionReturn(0);
}
