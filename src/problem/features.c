/*
   This rank's rows of A P, chunk by chunk: images -> moments -> lifted features -> component along J removed.

   Two ways, one interface. Kept: one array holds all rows; the pass that gathers the statistics of a whitening leaves
   the moments in it, and they are lifted in place, so that no patch is touched twice. Streamed: a chunk is made when
   asked for.

   Where the samples are images and their mirror images (symmetry.h), a mirrored row is made of the image's own, and
   streamed; folded features have one row for both, sqrt 2 Q'Phi, whose products with themselves are Q'A'A Q.
*/
#include "features.h"
#include "base/base.h"
#include "base/sum.h"
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
  PsdImages images;
  PetscInt n, G, D;            /* samples here; regions, numbers of a lifted feature */
  PetscInt *f;                 /* G: of the patches of each region */
  PetscInt copies;             /* samples of an image */
  PsdSymmetry symmetry;        /* borrowed; NULL: every sample is lifted by itself */
  PetscBool folded;            /* rows are folded, one for each image */
  PetscInt moments_length;     /* of one image */
  PetscInt chunk_rows, chunks; /* most rows in a chunk */
  PetscInt *chunk_first;       /* chunks + 1: where each begins here */
  PetscBool kept;
  PetscReal *rows;    /* all when kept, else those of a chunk; each of PsdFeaturesLength numbers */
  PetscReal *row;     /* work: one lifted feature, when folded */
  PetscReal *moments; /* work: one image */
  PetscReal *errors;  /* G for each of those rows that is not folded: bounds of what rounding has done to it */
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
  PetscCall(PsdPatchesGetSizes(patches, NULL, NULL, &it->G, NULL));
  PetscCall(PetscMalloc1(it->G, &it->f));
  PsdPatchesGetDimensions(patches, it->f);
  it->D = PsdPatchesLiftedLength(patches);
  it->moments_length = PsdPatchesMomentsLength(patches);

  const size_t row_bytes = it->D * sizeof(PetscReal);
  it->kept = (PetscBool)(it->n * row_bytes <= memory);
  PetscCall(PsdImagesCreate(data, patches, it->kept ? 0 : memory, &it->images));
  it->chunk_rows = (PetscInt)PetscMax(1, PetscMin(PSD_CHUNK_ROWS, PSD_CHUNK_BYTES / row_bytes));
  PetscCall(CutChunks(it));
  *features = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFeaturesSetSymmetry(PsdFeatures it, PsdSymmetry symmetry, PetscBool fold)
{
  PetscFunctionBeginUser;
  PetscCheck(it->copies == 2 && !it->rows, it->comm, PETSC_ERR_ARG_WRONGSTATE,
             "Symmetric features need mirror images, and to be told before they are set up");
  it->symmetry = symmetry;
  it->folded = fold;
  const size_t row_bytes = symmetry->order * sizeof(PetscReal);
  it->kept = (PetscBool)(fold && it->n / it->copies * row_bytes <= it->memory);
  PetscFunctionReturn(0);
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
  for (PetscInt g = 0; g < it->G; row += PsdPackedLength(it->f[g] + 1), g++) PsdRemoveJ(it->f[g] + 1, row);
  PetscCall(PetscLogFlops(PsdPatchesLiftFlops(it->patches)));
  PetscFunctionReturn(0);
}

/* Samples that are lifted at once: images and their mirror images follow each other. */
static PetscInt LiftedAtOnce(PsdFeatures it)
{
  return it->symmetry ? it->copies : 1;
}

/* The rows of samples first .. first + count - 1, and their errors. */
static PetscErrorCode MakeRows(PsdFeatures it, PetscInt first, PetscInt count, PetscReal *row, PetscReal *errors)
{
  PetscFunctionBeginUser;
  const PetscInt step = LiftedAtOnce(it);
  for (PetscInt i = first; i < first + count; i += step) {
    PetscCall(Moments(it, i, it->moments));
    PetscCall(Lift(it, it->moments, it->folded ? it->row : row, errors));
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

/* Adds the moments of chunk k to the statistics; they stay in `rows` when they can be lifted there in place. The
   statistics of symmetric patches are those of the images alone, made symmetric. */
static PetscErrorCode AddChunkStatistics(PsdFeatures it, PetscInt k, PetscBool in_place, PetscInt length,
                                         PetscReal sum[], PsdProgress progress)
{
  PetscFunctionBeginUser;
  const PetscInt step = PsdPatchesAreMirrored(it->patches) && !in_place ? it->copies : 1;
  PetscCall(PetscArrayzero(sum, length));
  for (PetscInt i = it->chunk_first[k]; i < it->chunk_first[k + 1]; i += step) {
    PetscReal *moments = in_place ? it->rows + (size_t)i * it->D : it->moments;
    PetscCall(Moments(it, i, moments));
    PsdPatchesAddStatistics(it->patches, moments, sum);
    PetscCall(PsdProgressUpdate(progress, i + step));
  }
  PetscFunctionReturn(0);
}

/* The transform of the patches, from the moments of all images on all ranks. */
static PetscErrorCode GatherStatistics(PsdFeatures it, PetscBool in_place)
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
    PetscCall(AddChunkStatistics(it, k, in_place, length, chunk, progress));
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
    else PetscCall(MakeRows(it, i, step, row, errors));
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
  if (PsdPatchesNeedStatistics(it->patches)) PetscCall(GatherStatistics(it, PETSC_FALSE));
  PetscCall(PsdPhaseEnd(PSD_PHASE_LIFT));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFeaturesSetUp(PsdFeatures it)
{
  PetscFunctionBeginUser;
  const PetscBool statistics = PsdPatchesNeedStatistics(it->patches);
  PetscInt branches;
  if (it->rows) PetscFunctionReturn(0);
  PetscCall(PsdPatchesGetBranchCount(it->patches, &branches));
  const PetscBool in_place = (PetscBool)(statistics && it->kept && branches == 1 && it->moments_length <= it->D);
  PetscCall(PsdPhaseBegin(PSD_PHASE_LIFT));
  const size_t rows = (size_t)((it->kept ? it->n : it->chunk_rows) / PsdFeaturesSamplesPerRow(it));
  PetscCall(PetscMalloc1(rows * (size_t)PsdFeaturesLength(it), &it->rows));
  if (it->folded) PetscCall(PetscMalloc1(it->D, &it->row));
  else PetscCall(PetscMalloc1(rows * it->G, &it->errors));
  if (!it->moments) PetscCall(PetscMalloc1(it->moments_length, &it->moments));
  PetscCall(PsdImagesFit(it->images));
  if (statistics) PetscCall(GatherStatistics(it, in_place));
  if (it->kept) PetscCall(LiftAll(it, in_place));
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

PetscErrorCode PsdFeaturesGetChunk(PsdFeatures it, PetscInt k, PetscInt *first, PetscInt *rows, const PetscReal *phi[],
                                   PetscInt *ld)
{
  PetscFunctionBeginUser;
  const PetscInt samples = it->chunk_first[k + 1] - it->chunk_first[k];
  *first = it->chunk_first[k];
  *rows = samples / PsdFeaturesSamplesPerRow(it);
  *ld = PsdFeaturesLength(it);
  if (it->kept) {
    *phi = it->rows + (size_t)(*first / PsdFeaturesSamplesPerRow(it)) * *ld;
    PetscFunctionReturn(0);
  }
  PetscCall(PsdPhaseBegin(PSD_PHASE_LIFT));
  PetscCall(MakeRows(it, *first, samples, it->rows, it->errors));
  PetscCall(PsdPhaseEnd(PSD_PHASE_LIFT));
  *phi = it->rows;
  PetscFunctionReturn(0);
}

void PsdFeaturesGetErrors(PsdFeatures it, PetscInt k, const PetscReal *errors[])
{
  *errors = it->errors + (it->kept ? (size_t)it->chunk_first[k] * it->G : 0);
}

PetscErrorCode PsdFeaturesDestroy(PsdFeatures *features)
{
  PetscFunctionBeginUser;
  if (!*features) PetscFunctionReturn(0);
  PetscCall(PetscFree((*features)->rows));
  PetscCall(PetscFree((*features)->chunk_first));
  PetscCall(PetscFree((*features)->moments));
  PetscCall(PetscFree((*features)->errors));
  PetscCall(PetscFree((*features)->row));
  PetscCall(PetscFree((*features)->f));
  PetscCall(PsdImagesDestroy(&(*features)->images));
  PetscCall(PetscFree(*features));
  PetscFunctionReturn(0);
}
