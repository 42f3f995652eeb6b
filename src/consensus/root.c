/*
   Consensus on the root rank: Cholesky of G_P + shift I by LAPACK, two triangular solves with C right-hand sides.

   One D x D array holds both matrices: G_P strictly above the diagonal (its diagonal apart), the factor L on and below
   it. Here D is the order of A'A, which is less than that of the program when that is symmetric.
*/
#include "base/base.h"
#include "base/gemm.h"
#include "exchange.h"
#include "gram_based.h"
#include "gram_file.h"
#include "problem/gram.h"
#include "problem/samples.h"
#include <petscblaslapack.h>

typedef struct {
  PetscReal *matrix;    /* root: D x D as described above */
  PetscReal *diagonal;  /* root: of G_P */
  PsdExchange exchange; /* its rows: all on the root */
  Vec product;          /* root: D x C by columns */
} Root;

/* All rows on the root. */
static PetscErrorCode CreateExchange(PsdConsensus consensus, PetscMPIInt rank, Root *root)
{
  PetscFunctionBeginUser;
  const PetscInt count = rank == 0 ? consensus->problem->order : 0;
  PetscInt *row;
  PetscCall(PetscMalloc1(count, &row));
  for (PetscInt k = 0; k < count; k++) row[k] = k;
  PetscCall(PsdExchangeCreate(consensus->problem, count, row, consensus->rhs, &root->exchange));
  PetscCall(VecDuplicate(root->exchange->rows, &root->product));
  PetscCall(PetscFree(row));
  PetscFunctionReturn(0);
}

static PetscErrorCode Assemble(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  const MPI_Comm comm = consensus->blocks->comm;
  PetscMPIInt rank;
  PetscReal *gram = NULL;
  PetscBool found;
  Root *root;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PsdGramFind(consensus, &found));
  PetscCall(PsdProblemFold(consensus->problem));
  const PetscInt D = consensus->problem->order;
  if (!found) {
    PetscCall(PsdProblemLift(consensus->problem));
    PetscCall(PsdProblemComputeGram(consensus->problem));
    PetscCall(PsdProblemTakeGram(consensus->problem, &gram));
  } else if (rank == 0) {
    PetscCall(PetscMalloc1((size_t)D * D, &gram));
  }
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(PetscNew(&root));
  consensus->data = root;
  PetscCall(CreateExchange(consensus, rank, root));

  const PetscInt panel = PetscMax(1, 1000000 / D);
  for (PetscInt first = 0; first < D && !found; first += panel)
    PetscCall(PsdReducePanel(comm, 0, D, first, PetscMin(panel, D - first), gram));
  PetscReal *whole = rank == 0 ? gram : NULL;
  const PetscErrorCode code = found ? PsdGramRead(consensus, NULL, whole) : PsdGramWrite(consensus, NULL, whole);
  if (rank > 0 || code) {
    PetscCall(PetscFree(gram));
    PetscCall(code);
  } else {
    PetscCheck(gram, PETSC_COMM_SELF, PETSC_ERR_PLIB, "no A'A");
    root->matrix = gram;
    PetscCall(PetscMalloc1(D, &root->diagonal));
    for (PetscInt k = 0; k < D; k++) {
      root->diagonal[k] = gram[(size_t)k * D + k];
      consensus->trace += root->diagonal[k];
    }
  }
  PetscCallMPI(MPI_Bcast(&consensus->trace, 1, MPIU_REAL, 0, comm));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscFunctionReturn(0);
}

/* The lower triangle <- transpose of the upper, tile by tile so that both sides stay in cache. */
static void MirrorUpper(PetscInt D, PetscReal *matrix)
{
  const PetscInt tile = 64;
  for (PetscInt j0 = 0; j0 < D; j0 += tile)
    for (PetscInt i0 = 0; i0 <= j0; i0 += tile)
      for (PetscInt j = j0; j < PetscMin(j0 + tile, D); j++)
        for (PetscInt i = i0; i < PetscMin(i0 + tile, j); i++) matrix[(size_t)i * D + j] = matrix[(size_t)j * D + i];
}

static PetscErrorCode Factor(PsdConsensus consensus, PetscReal shift)
{
  PetscFunctionBeginUser;
  Root *root = consensus->data;
  PetscBLASInt D, info = 0;
  if (root->matrix) {
    PetscCall(PetscBLASIntCast(consensus->problem->order, &D));
    MirrorUpper(D, root->matrix);
    for (PetscInt k = 0; k < D; k++) root->matrix[(size_t)k * D + k] = root->diagonal[k] + shift;
    PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("L", &D, root->matrix, &D, &info));
    PetscCall(PetscLogFlops(1.0 / 3 * D * (PetscLogDouble)D * D));
  }
  PetscCallMPI(MPI_Bcast(&info, 1, MPI_INT, 0, consensus->problem->comm));
  /* rounding alone does not do it (PsdConsensusShiftFloor) */
  PsdCheckInput(info == 0, "A'A + %g I is not positive definite at row %d: A'A is not that of images", (double)shift,
                (int)info);
  PetscFunctionReturn(0);
}

static PetscErrorCode Solve(PsdConsensus consensus, Vec rhs, Vec x)
{
  PetscFunctionBeginUser;
  Root *root = consensus->data;
  PetscCall(PsdExchangeToRows(root->exchange, rhs));
  if (root->matrix) {
    PetscReal *columns;
    PetscCall(VecGetArray(root->exchange->rows, &columns));
    PetscCall(PsdPotrsDouble(consensus->problem->order, consensus->blocks->C, root->matrix, columns));
    PetscCall(VecRestoreArray(root->exchange->rows, &columns));
  }
  PetscCall(PsdExchangeToOwners(root->exchange, root->exchange->rows, x));
  PetscFunctionReturn(0);
}

/* The product reads the upper triangle with L's diagonal in it; the difference to that of G_P is added. */
static PetscErrorCode Multiply(PsdConsensus consensus, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  Root *root = consensus->data;
  PetscCall(PsdExchangeToRows(root->exchange, x));
  if (root->matrix) {
    const PetscInt D = consensus->problem->order, C = consensus->blocks->C;
    const PetscReal *columns;
    PetscReal *product;
    PetscCall(VecGetArrayRead(root->exchange->rows, &columns));
    PetscCall(VecGetArray(root->product, &product));
    PetscCall(PsdSymmDouble(D, C, root->matrix, columns, product));
    for (size_t t = 0; t < (size_t)C; t++)
      for (size_t k = 0; k < (size_t)D; k++)
        product[t * D + k] += (root->diagonal[k] - root->matrix[k * D + k]) * columns[t * D + k];
    PetscCall(VecRestoreArray(root->product, &product));
    PetscCall(VecRestoreArrayRead(root->exchange->rows, &columns));
  }
  PetscCall(PsdExchangeToOwners(root->exchange, root->product, y));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  Root *root = consensus->data;
  PetscCall(PetscFree(root->matrix));
  PetscCall(PetscFree(root->diagonal));
  PetscCall(PsdExchangeDestroy(&root->exchange));
  PetscCall(VecDestroy(&root->product));
  PetscCall(PetscFree(consensus->data));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- costs */

static void Memory(const PsdSizes *s, PsdMemory *memory)
{
  PsdGramMemory(s, memory);
  PsdMemoryAdd(memory, "A'A and its factor", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, PSD_BYTES_REAL * s->order * s->order,
               0);
  PsdMemoryAdd(memory, "right-hand sides", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, 2 * PSD_BYTES_REAL * s->order * s->C,
               0);
}

/* Ranks' parts of A'A are summed in a tree. A solve is two passes over the triangle of the factor, a product one over
   A'A's. */
static void Costs(const PsdSizes *s, const PsdRates *rates, PsdConsensusCosts *costs)
{
  const PetscReal D = s->order, square = PSD_BYTES_REAL * D * D;
  costs->assemble = PsdGramCost(s, rates);
  if (s->ranks > 1)
    costs->assemble = PsdCostSum(PsdCostSum(costs->assemble, PsdGramSumCost(s)),
                                 PsdCostMove(3 * square * PetscLog2Real(2 * (PetscReal)s->ranks), rates));
  costs->factor = PsdCostSum(PsdCostWork(D * D * D / 3, rates->potrf), PsdCostMove(square, rates));
  const PsdCost product = PsdCostSum(PsdCostMove(square / 2, rates), PsdCostWork(D * D * s->C, rates->gemm));
  costs->multiply = PsdCostSum(product, PsdExchangeCost(s));
  costs->step = PsdCostSum(PsdCostTimes(2, product), PsdExchangeCost(s));
}

static PetscReal NoGrid(const PsdSizes *s)
{
  (void)s;
  return 0;
}

static const PsdConsensusOps operations = {.assemble = Assemble,
                                           .factor = Factor,
                                           .step = PsdConsensusGramStep,
                                           .residual = PsdConsensusGramResidual,
                                           .step_residual = PsdConsensusGramStepResidual,
                                           .krylov_start = PsdConsensusGramStart,
                                           .krylov_multiply = Multiply,
                                           .destroy = Destroy,
                                           .gram = {.solve = Solve, .multiply = Multiply}};

const PsdConsensusKernel PsdConsensusRoot = {.name = "root",
                                             .help = "A'A on rank 0",
                                             .form = PSD_FORM_GRAM,
                                             .samples = PSD_SAMPLES_LIFTED,
                                             .grid_order = NoGrid,
                                             .any_loss = PETSC_TRUE,
                                             .branches = PETSC_TRUE,
                                             .least_ranks = 1,
                                             .least_order = 0,
                                             .advantage = 1,
                                             .memory = Memory,
                                             .costs = Costs,
                                             .ops = &operations};
