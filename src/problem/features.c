/*
   This rank's rows of A P, chunk by chunk: images -> moments -> lifted features -> component along J removed.

   Two ways, one interface. Kept: one array holds all rows; the pass that gathers the statistics of a whitening leaves
   the moments in it, and they are lifted in place, so that no patch is touched twice. Streamed: a chunk is made when
   asked for.

   In single precision rows are made in double precision, chunk by chunk as they are first asked for. What is kept of them
   is whole numbers of 32 bits, in units of the largest number of a region, and a bound of what that has done to them
   (docs/mathematics.md, section 6): the same memory, and most of a number's 24 to 31 bits instead of 24.

   Where the samples are images and their mirror images (symmetry.h), a mirrored row is made of the image's own, and
   streamed; folded features have one row for both, sqrt 2 Q'Phi, whose products with themselves are Q'A'A Q.
*/
#include "features.h"
#include "base/base.h"
#include "base/rounding.h"
#include "base/sum.h"
#include "limits.h"
#include "maps/images.h"
#include "patches/lift.h"
#include "patches/mirror.h"
#include "patches/transform.h"
#include <stdint.h>

struct _p_PsdFeatures {
  MPI_Comm comm;
  PsdData data;
  PsdPatches patches;
  PetscReal activation[3];
  size_t memory;
  const PetscReal *weights; /* of the samples here, the data set's; NULL: all are 1 */
  PsdImages images;
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
  PetscReal *room; /* ... room for all rows as whole numbers, which ... */
  int32_t
      *whole;    /* ... these are. Before, the moments of as many images as there is room for, from the first on, ... */
  PetscInt held; /* ... so many, each where a row of doubles would be */
  PetscInt pieces;   /* ... which have units of their own, ... */
  PetscReal *unit;   /* ... pieces for each row, of which they are multiples; ... */
  PetscBool *done;   /* ... chunks: whether they are there; */
  PetscBool exact;   /* they do not serve for PsdFeaturesGetChunk */
  float *rounded;    /* a chunk */
  PetscReal squares; /* sum of squares of all that were rounded, with weights */
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
  const size_t number = it->single ? sizeof(*it->whole) : sizeof(PetscReal);
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
  PetscCall(PetscFree(it->room));
  PetscCall(PetscFree(it->unit));
  PetscCall(PetscFree(it->done));
  PetscCall(PetscFree(it->rounded));
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
  /* what is kept of them depends on it */
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
  return (PetscBool)(it->single && it->kept && it->done && it->done[0] && !it->exact);
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

static PetscErrorCode Lift(PsdFeatures it, const PetscReal moments[], PetscReal row[], PetscReal errors[])
{
  PetscFunctionBeginUser;
  if (!it->folded) PsdPatchesLiftErrors(it->patches, it->activation, moments, errors); /* which may be where row is */
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
    const PetscReal *moments = i < held ? it->room + (size_t)i * (size_t)it->D : it->moments;
    if (i >= held) PetscCall(Moments(it, i, it->moments));
    PetscCall(Lift(it, moments, it->folded ? it->row : row, errors));
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

/* Adds the moments of chunk k to the statistics; those of the first `stay` samples stay in `place`, where they can be lifted. The
   statistics of symmetric patches are those of the images alone, made symmetric. */
static PetscErrorCode AddChunkStatistics(PsdFeatures it, PetscInt k, PetscInt stay, PetscReal *place, PetscInt length,
                                         PetscReal sum[], PsdProgress progress)
{
  PetscFunctionBeginUser;
  const PetscInt step = PsdPatchesAreMirrored(it->patches) && stay == 0 ? it->copies : 1;
  PetscCall(PetscArrayzero(sum, length));
  for (PetscInt i = it->chunk_first[k]; i < it->chunk_first[k + 1]; i += step) {
    PetscReal *moments = i < stay ? place + (size_t)i * (size_t)it->D : it->moments;
    PetscCall(Moments(it, i, moments));
    PsdPatchesAddStatistics(it->patches, moments, it->weights ? it->weights[i] : 1, sum);
    PetscCall(PsdProgressUpdate(progress, i + step));
  }
  PetscFunctionReturn(0);
}

/* The transform of the patches, from the moments of all images on all ranks. */
static PetscErrorCode GatherStatistics(PsdFeatures it, PetscInt stay, PetscReal *place)
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
    PetscCall(AddChunkStatistics(it, k, stay, place, length, chunk, progress));
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
    if (in_place) PetscCall(Lift(it, row, row, errors));
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
  if (PsdPatchesNeedStatistics(it->patches)) PetscCall(GatherStatistics(it, 0, NULL));
  PetscCall(PsdPhaseEnd(PSD_PHASE_LIFT));
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
  PetscCall(PetscMalloc1(of_chunk * length, &it->rounded));
  PetscCall(PetscCalloc1(it->chunks + 1, &it->done));
  if (!it->kept) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((kept * length + 1) / 2, &it->room));
  it->whole = (int32_t *)it->room;
  it->pieces = it->folded ? 1 : it->G;
  PetscCall(PetscMalloc1(kept * (size_t)it->pieces, &it->unit));
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
  const PetscBool fit = (PetscBool)(branches == 1 && it->moments_length <= it->D); /* moments, where rows go */
  const PetscBool in_place = (PetscBool)(statistics && at_once && fit);
  PetscCall(PsdPhaseBegin(PSD_PHASE_LIFT));
  PetscCall(AllocateRows(it));
  if (!it->moments) PetscCall(PetscMalloc1(it->moments_length, &it->moments));
  PetscCall(PsdImagesFit(it->images));
  it->held = it->single && it->kept && fit ? it->n / 2 : 0;
  if (statistics) PetscCall(GatherStatistics(it, in_place ? it->n : it->held, in_place ? it->rows : it->room));
  if (!statistics) it->held = 0;
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

#define MOST_UNITS 2147483647.0     /* 2^31 - 1 */
#define TO_WHOLE 6755399441055744.0 /* 1.5 2^52: what is added to it is rounded to a whole number */

/* One region's numbers as whole ones, and what they are multiples of; returns a bound of || x - unit whole ||. */
static PetscReal ToUnits(PetscInt m, const PetscReal *restrict x, PetscReal *unit, int32_t *restrict whole)
{
  PetscReal largest = 0, squares = 0;
#pragma omp simd reduction(max : largest)
  for (PetscInt k = 0; k < m; k++) largest = PetscMax(largest, PetscAbsReal(x[k]));
  *unit = PetscMax(largest / MOST_UNITS, PSD_TINY);
  const PetscReal inverse = 1 / *unit;
#pragma omp simd reduction(+ : squares)
  for (PetscInt k = 0; k < m; k++) {
    const PetscReal count = (PetscMax(-MOST_UNITS, PetscMin(x[k] * inverse, MOST_UNITS)) + TO_WHOLE) - TO_WHOLE;
    const PetscReal left = x[k] - *unit * count;
    whole[k] = (int32_t)count;
    squares += left * left;
  }
  /* a number that is made of its units again is rounded as well, which is next to nothing beside half a unit */
  return PetscSqrtReal(squares * (1 + PsdRoundings((PetscReal)m + 8)) + (PetscReal)m * PSD_TINY) +
         PetscSqrtReal((PetscReal)m) * PsdRoundings(2) * largest;
}

/* What has a unit of its own: a region, or all of a folded row, which no certificate is made of. */
static PetscInt PieceLength(PsdFeatures it, PetscInt piece)
{
  return it->folded ? PsdFeaturesLength(it) : it->region[piece].m;
}

static void KeepRow(PsdFeatures it, size_t i, const PetscReal *row)
{
  int32_t *whole = it->whole + i * (size_t)PsdFeaturesLength(it);
  for (PetscInt piece = 0; piece < it->pieces; piece++) {
    const PetscInt m = PieceLength(it, piece);
    const size_t at = i * (size_t)it->pieces + (size_t)piece;
    const PetscReal lost = ToUnits(m, row, it->unit + at, whole);
    if (it->errors) it->errors[at] += lost;
    row += m;
    whole += m;
  }
}

static void GetKeptRow(PsdFeatures it, size_t i, PetscReal *row)
{
  const int32_t *whole = it->whole + i * (size_t)PsdFeaturesLength(it);
  for (PetscInt piece = 0; piece < it->pieces; piece++) {
    const PetscInt m = PieceLength(it, piece);
    const PetscReal unit = it->unit[i * (size_t)it->pieces + (size_t)piece];
    for (PetscInt k = 0; k < m; k++) row[k] = unit * (PetscReal)whole[k];
    row += m;
    whole += m;
  }
}

/* Whether chunk k is made of what is kept as whole numbers. */
static PetscBool IsWhole(PsdFeatures it, PetscInt k)
{
  return (PetscBool)(it->single && it->kept && it->done[k] && !it->exact);
}

PetscErrorCode PsdFeaturesFindChunk(PsdFeatures it, PetscInt k, PetscInt *first, PetscInt *rows, PetscInt *ld)
{
  PetscFunctionBeginUser;
  const PetscInt samples = it->chunk_first[k + 1] - it->chunk_first[k];
  *first = it->chunk_first[k];
  *rows = samples / PsdFeaturesSamplesPerRow(it);
  *ld = PsdFeaturesLength(it);
  if (IsWhole(it, k) || (it->kept && !it->single)) PetscFunctionReturn(0);
  PetscCall(PsdPhaseBegin(PSD_PHASE_LIFT));
  PetscReal *errors = it->folded ? NULL : it->errors + FirstRow(it, k) * (size_t)it->G;
  PetscCall(MakeRows(it, *first, samples, it->kept && !it->done[k] ? it->held : 0, it->rows, errors));
  PetscCall(PsdPhaseEnd(PSD_PHASE_LIFT));
  PetscFunctionReturn(0);
}

const PetscReal *PsdFeaturesGetRows(PsdFeatures it, PetscInt k, PetscInt first, PetscInt rows)
{
  const size_t length = (size_t)PsdFeaturesLength(it);
  if (!IsWhole(it, k)) return it->rows + ((it->single ? 0 : FirstRow(it, k)) + (size_t)first) * length;
  for (size_t i = 0; i < (size_t)rows; i++) GetKeptRow(it, FirstRow(it, k) + (size_t)first + i, it->rows + i * length);
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

PetscErrorCode PsdFeaturesGetSingle(PsdFeatures it, PetscInt k, const float *phi[])
{
  PetscFunctionBeginUser;
  const PetscInt length = PsdFeaturesLength(it),
                 rows = (it->chunk_first[k + 1] - it->chunk_first[k]) / PsdFeaturesSamplesPerRow(it);
  PetscCall(PsdPhaseBegin(PSD_PHASE_LIFT));
  for (size_t i = 0; i < (size_t)rows; i++) {
    const PetscReal *restrict from = it->rows + i * (size_t)length;
    float *restrict to = it->rounded + i * (size_t)length;
    const PetscReal weight =
        it->weights ? it->weights[it->chunk_first[k] + (PetscInt)i * PsdFeaturesSamplesPerRow(it)] : 1;
    const PetscReal root = PetscSqrtReal(weight);
    for (PetscInt j = 0; j < length; j++) to[j] = (float)(root * from[j]);
    it->squares += weight * PsdSquare(length, from);
    if (it->kept && !it->done[k]) KeepRow(it, FirstRow(it, k) + i, from);
  }
  it->done[k] = PETSC_TRUE;
  PetscCall(PsdPhaseEnd(PSD_PHASE_LIFT));
  *phi = it->rounded;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFeaturesComplete(PsdFeatures it)
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; it->single && it->kept && !it->exact && k < it->chunks; k++) {
    PetscInt first, rows, ld;
    const float *single;
    if (it->done[k]) continue;
    PetscCall(PsdFeaturesFindChunk(it, k, &first, &rows, &ld));
    PetscCall(PsdFeaturesGetSingle(it, k, &single));
  }
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
  PetscCall(PsdImagesDestroy(&(*features)->images));
  PetscCall(PetscFree(*features));
  PetscFunctionReturn(0);
}
