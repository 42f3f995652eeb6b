/*
   The state of the low-rank solver in a checkpoint. Columns are written in the coordinates of the patches, as components that
   are computed again may differ in their signs and last digits, and in those of the level, which are taken where the components
   are the same, digit by digit: then the run goes on as if it had not been stopped.
*/
#include "base/base.h"
#include "lowrank.h"
#include "network/neurons_rows.h"
#include <math.h>

#define MOST_COLUMNS 1000000 /* that a file may say there are */

PetscErrorCode PsdLowrankVisitForm(PsdSolver solver, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = solver->data;
  /* the bases of certificates have the length that the setting says, whatever the level was raised to */
  PetscCall(PsdVisitInt(v, "coarse", 1, PETSC_MAX_INT, &it->settings.coarse));
  PetscCall(PsdVisitInt(v, "coarse_components", 1, PETSC_MAX_INT, &it->K));
  PetscCall(PsdVisitorAgree(v));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitPlace(PsdLowrank it, PsdVisitor v)
{
  PetscFunctionBeginUser;
  /* the levels of beta come down to the problem's, and the factors from 1 */
  const PsdRange beta = {0.999 * it->problem->beta, PSD_STATE_LARGEST, PETSC_FALSE}, factor = {0, 1, PETSC_TRUE};
  PetscBool fine = it->place.fine;
  PetscInt stage = it->place.stage;
  PetscCall(PsdVisitInt(v, "stage", PSD_LOWRANK_LOOK, PSD_LOWRANK_STAGES - 1, &stage));
  PetscCall(PsdVisitInt(v, "rounds", 0, PETSC_MAX_INT - 1, &it->place.rounds));
  PetscCall(PsdVisitReal(v, "aim", PSD_POSITIVE, &it->place.aim));
  PetscCall(PsdVisitBool(v, "precise", &it->precise));
  PetscCall(PsdVisitReal(v, "place_beta", beta, &it->place.beta));
  PetscCall(PsdVisitBool(v, "complete_level", &fine));
  PetscCall(PsdVisitReal(v, "tighten", factor, &it->place.tighten));
  PetscCall(PsdVisitReal(v, "share", factor, &it->place.share));
  PetscCall(PsdVisitInt(v, "grown", 0, PETSC_MAX_INT - 1, &it->place.grown));
  PetscCall(PsdVisitBool(v, "whole_blocks", &it->place.whole));
  PetscCall(PsdVisitInt(v, "polished", 0, PETSC_MAX_INT, &it->place.polished));
  PetscCall(PsdVisitorAgree(v));
  it->place.stage = (PsdLowrankStage)stage;
  if (PsdVisitorIsReading(v)) PetscCall(PsdLowrankMoveTo(it, fine));
  PetscFunctionReturn(0);
}

/* A row: the number of the block, then the column as the patches have it. */
static PetscErrorCode WriteRows(PsdLowrank it, const PsdColumns *columns, PetscInt width, PetscReal rows[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(rows, (size_t)columns->count * width));
  for (PetscInt j = 0; j < columns->count; j++) {
    const PetscInt g = PsdBlockRegion(columns, columns->block[j]), K = columns->K[g];
    const PetscInt f = it->problem->blocks->region[g].f;
    PetscReal *row = rows + (size_t)j * width;
    row[0] = columns->block[j];
    PetscCall(PsdLevelToPatches(PsdLowrankLevel(it), g, 1, columns->F + columns->at[j], K, row + 1, f));
    row[1 + f] = columns->F[columns->at[j + 1] - 1];
  }
  PetscFunctionReturn(0);
}

#define FEASIBLE 1e-6 /* far above rounding: a retraction goes before every point */

/* <J, F F'> = 0 in every block that has columns, as Newton's method needs it. What the level does not have of the rows is no
   matter: components that end within a cluster may be others on other ranks. */
static PetscErrorCode CheckFeasible(PsdLowrank it, PsdVisitor v, PetscInt width, const PetscReal rows[])
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = &it->columns;
  const PetscInt blocks = 2 * it->problem->blocks->pairs;
  PetscReal *squares;
  PetscBool feasible = PETSC_TRUE;
  PetscCall(PsdVisitorWork(v, 2 * (size_t)blocks * sizeof(*squares), &squares));
  PetscCall(PetscArrayzero(squares, 2 * (size_t)blocks));
  for (PetscInt j = 0; j < columns->count; j++) {
    const PetscReal *row = rows + (size_t)j * width;
    const PetscInt f = it->problem->blocks->region[PsdBlockRegion(columns, columns->block[j])].f;
    PetscReal *sum = squares + 2 * (size_t)columns->block[j];
    for (PetscInt i = 1; i <= f; i++) sum[0] += row[i] * row[i];
    sum[1] += row[1 + f] * row[1 + f];
  }
  for (PetscInt block = 0; block < blocks; block++) {
    const PetscReal *sum = squares + 2 * (size_t)block;
    feasible =
        (PetscBool)(feasible && PetscAbsReal(sum[0] - sum[1]) <= FEASIBLE * sum[0] && sum[0] <= PSD_STATE_LARGEST);
  }
  if (!feasible) PsdVisitorFail(v, "array /lowrank/columns has a block that is not feasible");
  PetscCall(PsdVisitorAgree(v));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadRows(PsdLowrank it, PsdVisitor v, PetscInt count, PetscInt width, const PetscReal rows[])
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = it->problem->blocks;
  const PetscInt *K;
  PetscInt *block;
  PetscBool right = PETSC_TRUE;
  PetscCall(PsdVisitorWork(v, (size_t)(count + 1) * sizeof(*block), &block));
  for (PetscInt j = 0; j < count && right; j++) {
    const PetscReal number = rows[(size_t)j * width];
    right = (PetscBool)(number >= 0 && number < 2 * blocks->pairs);
    if (right) block[j] = (PetscInt)number;
    right = (PetscBool)(right && (j == 0 || block[j] >= block[j - 1]));
  }
  if (!right) PsdVisitorFail(v, "array /lowrank/columns has columns of blocks that there are not, or not in order");
  PetscCall(PsdVisitorAgree(v));
  PetscCall(PsdColumnsDestroy(&it->columns));
  PsdLevelGetSizes(PsdLowrankLevel(it), NULL, NULL, &K, NULL);
  PetscCall(PsdColumnsCreate(blocks->G, blocks->C, K, count, block, &it->columns));
  PsdVisitorCheckLargest(v, "/lowrank/columns", (PetscInt64)count * width, rows);
  PetscCall(PsdVisitorAgree(v));
  for (PetscInt j = 0; j < count; j++) {
    const PetscInt g = PsdBlockRegion(&it->columns, block[j]), f = blocks->region[g].f;
    PetscReal *F = it->columns.F + it->columns.at[j];
    const PetscReal *row = rows + (size_t)j * width;
    PetscCall(PsdLevelFromPatches(PsdLowrankLevel(it), g, 1, row + 1, f, F, K[g]));
    F[K[g]] = row[1 + f];
  }
  PetscCall(CheckFeasible(it, v, width, rows));
  PsdColumnsRetract(&it->columns, it->columns.F);
  PetscFunctionReturn(0);
}

/* The columns as the level has them, row by row, and back. */
static PetscErrorCode CopyCoordinates(const PsdColumns *columns, PetscInt width, PetscBool back, PetscReal rows[])
{
  PetscFunctionBeginUser;
  for (PetscInt j = 0; j < columns->count; j++) {
    PetscReal *F = columns->F + columns->at[j], *row = rows + (size_t)j * width;
    const size_t length = columns->at[j + 1] - columns->at[j];
    PetscCall(PetscArraycpy(back ? F : row, back ? row : F, length));
  }
  PetscFunctionReturn(0);
}

/* Columns of these coordinates are the ones that were written, if they have the same rows; else the components are others, by their
   last digits at least. */
static PetscErrorCode TakeCoordinates(PsdLowrank it, PsdVisitor v, PetscInt width, const PetscReal rows[],
                                      PetscReal coordinates[])
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = &it->columns;
  const size_t length = columns->at[columns->count];
  PetscReal *again, *projected;
  PetscMPIInt same = 1;
  PetscCall(PsdVisitorWork(v, (size_t)(columns->count + 1) * width * sizeof(*again), &again));
  PetscCall(PsdVisitorWork(v, (length + 1) * sizeof(*projected), &projected));
  PetscCall(PetscArraycpy(projected, columns->F, length));
  PetscCall(CopyCoordinates(columns, width - 1, PETSC_TRUE, coordinates));
  PetscCall(WriteRows(it, columns, width, again));
  for (size_t k = 0; k < (size_t)columns->count * width; k++)
    if (!(again[k] == rows[k])) same = 0;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &same, 1, MPI_INT, MPI_MIN, it->problem->comm));
  if (!same) PetscCall(PetscArraycpy(columns->F, projected, length));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitColumns(PsdLowrank it, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PetscInt width = it->problem->blocks->d_max + 1;
  PetscInt count = it->columns.count;
  PetscReal *rows, *coordinates;
  PetscCall(PsdVisitRowCount(v, "/lowrank/columns", width, MOST_COLUMNS, &count));
  const size_t room = (size_t)(count + 1) * width;
  PetscCall(PsdVisitorWork(v, room * sizeof(*rows), &rows));
  PetscCall(PsdVisitorWork(v, room * sizeof(*coordinates), &coordinates));
  if (PsdVisitorIsWriting(v)) {
    PetscCall(WriteRows(it, &it->columns, width, rows));
    PetscCall(PetscArrayzero(coordinates, room));
    PetscCall(CopyCoordinates(&it->columns, width - 1, PETSC_FALSE, coordinates));
  }
  PetscCall(PsdVisitReplicated(v, "/lowrank/columns", count, width, rows));
  PetscCall(PsdVisitReplicated(v, "/lowrank/coordinates", count, width - 1, coordinates));
  if (!PsdVisitorIsReading(v)) PetscFunctionReturn(0);
  PetscCall(ReadRows(it, v, count, width, rows));
  PetscCall(TakeCoordinates(it, v, width, rows, coordinates));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitBest(PsdLowrank it, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PsdLowrankBest *best = &it->best;
  PsdCertificate *certificate = &best->certificate;
  PetscCall(PsdVisitBool(v, "best_known", &best->known));
  PetscCall(PsdVisitReal(v, "best_primal", PSD_STATE_REAL, &certificate->primal));
  PetscCall(PsdVisitReal(v, "best_primal_error", PSD_NONNEGATIVE, &certificate->primal_error));
  PetscCall(PsdVisitReal(v, "best_dual", PSD_STATE_REAL, &certificate->dual));
  PetscCall(PsdVisitReal(v, "best_gap", PSD_STATE_REAL, &certificate->gap));
  PetscCall(PsdVisitReal(v, "best_rounding", PSD_NONNEGATIVE, &certificate->rounding));
  PetscCall(PsdVisitReal(v, "best_accuracy", ((PsdRange){-PSD_STATE_LARGEST, 1, PETSC_FALSE}), &certificate->accuracy));
  PetscCall(PsdVisitReal(v, "best_feature_error", PSD_NONNEGATIVE, &certificate->feature_error));
  PetscCall(PsdNeuronsVisitRows(&best->neurons, it->problem->blocks, "/lowrank/neurons", v));
  if (PsdVisitorIsReading(v)) best->has_nu = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* The trust regions' radii; in the file -1 stands for none. */
static PetscErrorCode VisitRadii(PsdLowrank it, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PetscInt groups = PsdObjectiveGroups(it->objective);
  PetscReal *radius;
  PetscCall(PsdVisitorWork(v, (size_t)groups * sizeof(*radius), &radius));
  for (PetscInt k = 0; k < groups && PsdVisitorIsWriting(v); k++)
    radius[k] = PetscIsInfReal(it->radius[k]) ? -1 : it->radius[k];
  PetscCall(PsdVisitReplicated(v, "/lowrank/radii", 1, groups, radius));
  for (PetscInt k = 0; k < groups && PsdVisitorIsReading(v); k++) it->radius[k] = radius[k] < 0 ? INFINITY : radius[k];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLowrankVisitState(PsdSolver solver, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = solver->data;
  const PetscInt blocks = 2 * it->problem->blocks->pairs;
  PetscCall(VisitPlace(it, v));
  PetscCall(VisitColumns(it, v));
  PetscCall(PsdVisitReplicated(v, "/lowrank/multipliers", 1, blocks, it->mu));
  PsdVisitorCheckLargest(v, "/lowrank/multipliers", PsdVisitorIsReading(v) ? blocks : 0, it->mu);
  PetscCall(VisitRadii(it, v));
  PetscCall(PsdVisitReal(v, "best_bound", PSD_STATE_REAL, &it->bound));
  PetscCall(PsdVisitReplicated(v, "/lowrank/bounds", blocks, sizeof(PsdBlockBound) / sizeof(PetscReal),
                               (PetscReal *)it->blocks));
  PetscCall(PsdVisitReplicated(v, "/lowrank/filters", blocks, it->problem->blocks->f_max, it->u));
  PetscCall(VisitBest(it, v));
  PetscFunctionReturn(0);
}
