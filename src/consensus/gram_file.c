/*
   The file of A'A and h: with it a run that is continued neither lifts features for A'A nor multiplies them.

   The lower triangle is stored column after column, without what is above the diagonal. It is written and read by
   panels, so that no rank needs more than its part of the matrix.
*/
#include "gram_file.h"
#include "base/base.h"
#include "grid_panels.h"
#include "maps/maps_state.h"
#include "problem/identity.h"

#define FORMAT "psdnet-gram"
#define VERSION 2
#define PANEL 64
#define MATRIX "/gram"
#define TARGETS "/h"
#define NOISE "/noise"

/* Where column j begins in the file. */
static PetscInt64 Begin(PetscInt64 D, PetscInt64 j)
{
  return j * D - j * (j - 1) / 2;
}

/* A panel between the file's form and an upper triangle, in which row i of the panel is contiguous. */
static void Pack(PetscInt64 D, PetscInt64 first, PetscInt width, const PetscReal *upper, PetscReal packed[])
{
  for (PetscInt64 i = first; i < D; i++)
    for (PetscInt k = 0; k < width && first + k <= i; k++)
      packed[Begin(D, first + k) - Begin(D, first) + i - first - k] = upper[i * D + first + k];
}

static void Unpack(PetscInt64 D, PetscInt64 first, PetscInt width, const PetscReal packed[], PetscReal *upper)
{
  for (PetscInt64 i = first; i < D; i++)
    for (PetscInt k = 0; k < width && first + k <= i; k++)
      upper[i * D + first + k] = packed[Begin(D, first + k) - Begin(D, first) + i - first - k];
}

/* What is visited: the matrix as the kernel has it. */
typedef struct {
  PsdConsensus consensus;
  char *identity;
  PsdGrid grid;
  PetscReal *upper;
  PetscBool single; /* of the file */
} Gram;

/* Which problem it is, and the transforms: they settle the order of A'A. And the precision that A'A was made in. */
static PetscErrorCode VisitHead(PsdVisitor v, void *context)
{
  PetscFunctionBeginUser;
  Gram *it = context;
  if (!PsdVisitorIsReading(v)) it->single = it->consensus->problem->single;
  PetscCall(PsdIdentityVisit(v, it->identity));
  PetscCall(PsdVisitBool(v, "single_precision", &it->single));
  PetscCall(PsdMapsVisit(it->consensus->problem->patches, v));
  PetscFunctionReturn(0);
}

/* Of a triangle that is whole, on one rank. */
static PetscErrorCode VisitWhole(PsdVisitor v, PsdVisitedArray array, PetscInt D, PetscReal *upper)
{
  PetscFunctionBeginUser;
  PetscReal *panel;
  PetscCall(PetscMalloc1((size_t)PANEL * (size_t)D, &panel));
  for (PetscInt first = 0; first < D; first += PANEL) {
    const PetscInt width = PetscMin(PANEL, D - first);
    if (PsdVisitorIsWriting(v)) Pack(D, first, width, upper, panel);
    PsdVisitRows(v, array, Begin(D, first), Begin(D, first + width) - Begin(D, first), panel);
    if (PsdVisitorIsReading(v)) Unpack(D, first, width, panel, upper);
  }
  PetscCall(PetscFree(panel));
  PetscFunctionReturn(0);
}

/* Of the grid: all ranks visit as many panels as there are in their column of it. */
static PetscErrorCode VisitGrid(PsdVisitor v, PsdVisitedArray array, PsdGrid grid)
{
  PetscFunctionBeginUser;
  PsdGridPanels panels;
  PetscCall(PsdGridPanelsCreate(grid, &panels));
  for (PetscInt k = 0; k < PsdGridPanelsCount(panels); k++) {
    const PsdPanel panel = PsdGridPanelsAt(panels, k);
    const PetscInt64 begin = Begin(grid->N, panel.first);
    if (PsdVisitorIsWriting(v)) PetscCall(PsdGridPanelsGather(panels, k));
    if (panel.here) PsdVisitRows(v, array, begin, Begin(grid->N, panel.first + panel.width) - begin, panel.numbers);
    if (PsdVisitorIsReading(v)) PetscCall(PsdGridPanelsScatter(panels, k));
  }
  PetscCall(PsdGridPanelsDestroy(&panels));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitMatrix(PsdVisitor v, const Gram *it)
{
  PetscFunctionBeginUser;
  const PetscInt D = it->consensus->problem->order;
  PsdVisitedArray array;
  PetscCall(PsdVisitArray(v, MATRIX, Begin(D, D), 1, &array));
  if (it->grid) PetscCall(VisitGrid(v, array, it->grid));
  else if (it->upper) PetscCall(VisitWhole(v, array, D, it->upper));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitGram(PsdVisitor v, void *context)
{
  PetscFunctionBeginUser;
  const Gram *it = context;
  PetscCall(PsdVisitPairs(v, TARGETS, it->consensus->problem->h));
  PetscCall(PsdVisitPairs(v, NOISE, it->consensus->problem->h_random));
  PetscCall(VisitMatrix(v, it));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitAll(PsdVisitor v, void *context)
{
  PetscFunctionBeginUser;
  PetscCall(VisitHead(v, context));
  PetscCall(VisitGram(v, context));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGramFind(PsdConsensus consensus, PetscBool *found)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = consensus->problem;
  Gram it = {.consensus = consensus};
  PsdStateLayout layout;
  *found = PETSC_FALSE;
  if (!consensus->gram_path || !consensus->gram_resume) PetscFunctionReturn(0);
  PetscCall(PsdArchiveExists(problem->comm, consensus->gram_path, found));
  if (!*found) PetscFunctionReturn(0);
  PetscCall(PsdProblemGetLayout(problem, &layout));
  PetscCall(PetscMalloc1(PSD_ARCHIVE_TEXT, &it.identity));
  PetscCall(PsdProblemIdentify(problem, it.identity));
  PetscErrorCode code = PsdArchiveOpen(problem->comm, consensus->gram_path, FORMAT, VERSION, &consensus->gram_archive);
  if (!code) code = PsdStateRead(consensus->gram_archive, &layout, VisitHead, &it);
  PetscCall(PetscFree(it.identity));
  PetscCall(code);
  if (it.single == problem->single) PetscFunctionReturn(0);
  *found = PETSC_FALSE; /* it is made anew in this run's precision, and replaced */
  PetscCall(PsdArchiveClose(&consensus->gram_archive));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGramRead(PsdConsensus consensus, PsdGrid grid, PetscReal upper[])
{
  PetscFunctionBeginUser;
  const PsdProblem problem = consensus->problem;
  Gram it = {.consensus = consensus, .grid = grid, .upper = upper};
  PsdStateLayout layout;
  PetscCall(PsdProblemGetLayout(problem, &layout));
  PetscCall(PetscFree(problem->signs));
  PetscErrorCode code = PsdStateRead(consensus->gram_archive, &layout, VisitGram, &it);
  if (!code) code = PsdArchiveClose(&consensus->gram_archive);
  PetscCall(code);
  PetscCall(PetscPrintf(problem->comm, "gram     from %s\n", consensus->gram_path));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGramWrite(PsdConsensus consensus, PsdGrid grid, const PetscReal upper[])
{
  PetscFunctionBeginUser;
  const PsdProblem problem = consensus->problem;
  Gram it = {.consensus = consensus, .grid = grid, .upper = (PetscReal *)upper};
  PsdStateLayout layout;
  if (!consensus->gram_path) PetscFunctionReturn(0);
  PetscCall(PsdProblemGetLayout(problem, &layout));
  PetscCall(PetscMalloc1(PSD_ARCHIVE_TEXT, &it.identity));
  PetscCall(PsdEventBegin(PSD_EVENT_CHECKPOINT));
  PetscCall(PsdProblemIdentify(problem, it.identity));
  const PetscErrorCode code =
      PsdStateWrite(problem->comm, consensus->gram_path, FORMAT, VERSION, &layout, VisitAll, &it);
  PetscCall(PsdEventEnd(PSD_EVENT_CHECKPOINT));
  PetscCall(PetscFree(it.identity));
  if (code && code != PSD_ERR_INPUT) PetscFunctionReturn(code);
  if (code) PetscCall(PetscFPrintf(problem->comm, stderr, "psdnet: warning: A'A is not kept: %s\n", PsdErrorMessage()));
  PetscFunctionReturn(0);
}
