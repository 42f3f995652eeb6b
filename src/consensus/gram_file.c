/*
   The file of A'A and h: with it a run that is continued neither lifts features for A'A nor multiplies them.

   The lower triangle is stored column after column, without what is above the diagonal. Each rank writes and reads its
   own columns, PANEL of them at a time, so that no rank needs more than its part of the matrix.
*/
#include "gram_file.h"
#include "base/base.h"
#include "patches/transform.h"
#include "problem/identity.h"

#define FORMAT "psdnet-gram"
#define VERSION 1
#define PANEL 64
#define MATRIX "/gram"
#define TARGETS "/h"
#define NOISE "/noise"

/* Where column j begins in the file. */
static PetscInt64 Begin(PetscInt64 D, PetscInt64 j)
{
  return j * D - j * (j - 1) / 2;
}

/* Consecutive columns from `at` on, PANEL at most. */
static PetscInt PanelWidth(PetscInt at, PetscInt columns, const PetscInt column[])
{
  PetscInt width = 1;
  while (width < PANEL && at + width < columns && column[at + width] == column[at] + width) width++;
  return width;
}

/* A panel between the file's form and the matrix's; of an upper triangle row i of the panel is contiguous. */
static void Pack(PetscInt64 D, PetscInt64 first, PetscInt width, const PetscReal *matrix, PetscBool upper,
                 PetscReal packed[])
{
  for (PetscInt k = 0; k < width && !upper; k++)
    for (PetscInt64 i = first + k; i < D; i++)
      packed[Begin(D, first + k) - Begin(D, first) + i - first - k] = matrix[k * D + i];
  for (PetscInt64 i = first; i < D && upper; i++)
    for (PetscInt k = 0; k < width && first + k <= i; k++)
      packed[Begin(D, first + k) - Begin(D, first) + i - first - k] = matrix[i * D + first + k];
}

static void Unpack(PetscInt64 D, PetscInt64 first, PetscInt width, const PetscReal packed[], PetscBool upper,
                   PetscReal *matrix)
{
  for (PetscInt k = 0; k < width && !upper; k++)
    for (PetscInt64 i = first + k; i < D; i++)
      matrix[k * D + i] = packed[Begin(D, first + k) - Begin(D, first) + i - first - k];
  for (PetscInt64 i = first; i < D && upper; i++)
    for (PetscInt k = 0; k < width && first + k <= i; k++)
      matrix[i * D + first + k] = packed[Begin(D, first + k) - Begin(D, first) + i - first - k];
}

/* The part of the matrix that a panel at `at` packs from: this rank's columns, or all. */
static size_t PanelOffset(PetscInt64 D, PetscInt at, PetscBool upper)
{
  return upper ? 0 : (size_t)at * (size_t)D;
}

/* What is visited: the caller's part of the matrix. */
typedef struct {
  PsdConsensus consensus;
  char *identity;
  PetscInt columns;
  const PetscInt *column;
  PetscBool upper;
  PetscReal *matrix, *panel;
} Gram;

/* Which problem it is, and the transforms: they settle the order of A'A. */
static PetscErrorCode VisitHead(PsdVisitor v, void *context)
{
  PetscFunctionBeginUser;
  const Gram *it = context;
  PetscCall(PsdIdentityVisit(v, it->identity));
  PetscCall(PsdPatchesVisit(it->consensus->problem->patches, v));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitMatrix(PsdVisitor v, const Gram *it)
{
  PetscFunctionBeginUser;
  const PetscInt64 D = it->consensus->problem->order;
  PsdVisitedArray array;
  PetscCall(PsdVisitArray(v, MATRIX, Begin(D, D), 1, &array));
  for (PetscInt at = 0, width; at < it->columns; at += width) {
    const PetscInt64 first = it->column[at];
    PetscReal *matrix = it->matrix + PanelOffset(D, at, it->upper);
    width = PanelWidth(at, it->columns, it->column);
    if (PsdVisitorIsWriting(v)) Pack(D, first, width, matrix, it->upper, it->panel);
    PsdVisitRows(v, array, Begin(D, first), Begin(D, first + width) - Begin(D, first), it->panel);
    if (PsdVisitorIsReading(v)) Unpack(D, first, width, it->panel, it->upper, matrix);
  }
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
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGramRead(PsdConsensus consensus, PetscInt columns, const PetscInt column[], PetscBool upper,
                           PetscReal matrix[])
{
  PetscFunctionBeginUser;
  const PsdProblem problem = consensus->problem;
  Gram it = {consensus, NULL, columns, column, upper, matrix, NULL};
  PsdStateLayout layout;
  PetscCall(PsdProblemGetLayout(problem, &layout));
  PetscCall(PetscMalloc1((size_t)PANEL * problem->order, &it.panel));
  PetscCall(PetscFree(problem->signs));
  PetscErrorCode code = PsdStateRead(consensus->gram_archive, &layout, VisitGram, &it);
  if (!code) code = PsdArchiveClose(&consensus->gram_archive);
  PetscCall(PetscFree(it.panel));
  PetscCall(code);
  PetscCall(PetscPrintf(problem->comm, "gram     from %s\n", consensus->gram_path));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGramWrite(PsdConsensus consensus, PetscInt columns, const PetscInt column[], PetscBool upper,
                            const PetscReal matrix[])
{
  PetscFunctionBeginUser;
  const PsdProblem problem = consensus->problem;
  Gram it = {consensus, NULL, columns, column, upper, (PetscReal *)matrix, NULL};
  PsdStateLayout layout;
  if (!consensus->gram_path) PetscFunctionReturn(0);
  PetscCall(PsdProblemGetLayout(problem, &layout));
  PetscCall(PetscMalloc2(PSD_ARCHIVE_TEXT, &it.identity, (size_t)PANEL * problem->order, &it.panel));
  PetscCall(PsdEventBegin(PSD_EVENT_CHECKPOINT));
  PetscCall(PsdProblemIdentify(problem, it.identity));
  const PetscErrorCode code =
      PsdStateWrite(problem->comm, consensus->gram_path, FORMAT, VERSION, &layout, VisitAll, &it);
  PetscCall(PsdEventEnd(PSD_EVENT_CHECKPOINT));
  PetscCall(PetscFree2(it.identity, it.panel));
  if (code && code != PSD_ERR_INPUT) PetscFunctionReturn(code);
  if (code) PetscCall(PetscFPrintf(problem->comm, stderr, "psdnet: warning: A'A is not kept: %s\n", PsdErrorMessage()));
  PetscFunctionReturn(0);
}
