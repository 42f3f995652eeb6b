/*
   The file of A'A and h: with it a run that is continued neither lifts features for A'A nor multiplies them.

   The lower triangle is stored column after column, without what is above the diagonal. Each rank writes and reads its
   own columns, PANEL of them at a time, so that no rank needs more than its part of the matrix.
*/
#include "gram_file.h"
#include "base/base.h"
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

PetscErrorCode PsdGramFind(PsdConsensus consensus, PetscBool *found)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = consensus->problem;
  char *is, *expected;
  *found = PETSC_FALSE;
  if (!consensus->gram_path || !consensus->gram_resume) PetscFunctionReturn(0);
  PetscCall(PsdArchiveExists(problem->comm, consensus->gram_path, found));
  if (!*found) PetscFunctionReturn(0);
  PetscCall(PetscMalloc2(PSD_ARCHIVE_TEXT, &is, PSD_ARCHIVE_TEXT, &expected));
  PetscCall(PsdArchiveOpen(problem->comm, consensus->gram_path, FORMAT, VERSION, &consensus->gram_archive));
  PetscCall(PsdArchiveGetText(consensus->gram_archive, "problem", is));
  PetscCall(PsdProblemIdentify(problem, expected));
  PetscCall(PsdArchiveAgree(consensus->gram_archive));
  PetscCall(PsdIdentityCheck(consensus->gram_path, is, expected));
  PetscCall(PsdTransformsGet(problem->patches, consensus->gram_archive));
  PetscCall(PetscFree2(is, expected));
  PetscFunctionReturn(0);
}

/* This rank's part of C columns, from the file or to it. */
static PetscErrorCode Columns(PsdBlocks blocks, PsdArchive archive, PetscBool put, const char name[], Vec x)
{
  PetscFunctionBeginUser;
  const PetscInt64 m = blocks->m;
  PetscInt array;
  PetscReal *local;
  (void)PsdArchiveFind(archive, name, blocks->pairs * m, &array);
  PetscCall(VecGetArray(x, &local));
  if (put) PsdArchivePut(archive, array, blocks->first * m, blocks->local * m, local);
  else PsdArchiveGet(archive, array, blocks->first * m, blocks->local * m, local);
  PetscCall(VecRestoreArray(x, &local));
  PetscFunctionReturn(0);
}

static PetscErrorCode Targets(PsdConsensus consensus, PsdArchive archive, PetscBool put)
{
  PetscFunctionBeginUser;
  PetscCall(Columns(consensus->blocks, archive, put, TARGETS, consensus->problem->h));
  PetscCall(Columns(consensus->blocks, archive, put, NOISE, consensus->problem->h_random));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGramRead(PsdConsensus consensus, PetscInt columns, const PetscInt column[], PetscBool upper,
                           PetscReal matrix[])
{
  PetscFunctionBeginUser;
  const PsdProblem problem = consensus->problem;
  const PetscInt64 D = problem->order;
  const PsdArchive archive = consensus->gram_archive;
  PetscReal *panel;
  PetscInt array;
  PetscCall(PetscMalloc1((size_t)(PANEL * D), &panel));
  PetscCall(Targets(consensus, archive, PETSC_FALSE));
  PetscCall(PetscFree(problem->signs));
  (void)PsdArchiveFind(archive, MATRIX, Begin(D, D), &array);
  for (PetscInt at = 0, width; at < columns; at += width) {
    const PetscInt64 first = column[at];
    width = PanelWidth(at, columns, column);
    PsdArchiveGet(archive, array, Begin(D, first), Begin(D, first + width) - Begin(D, first), panel);
    Unpack(D, first, width, panel, upper, matrix + PanelOffset(D, at, upper));
  }
  PetscCall(PsdArchiveClose(&consensus->gram_archive));
  PetscCall(PetscFree(panel));
  PetscCall(PetscPrintf(problem->comm, "gram     from %s\n", consensus->gram_path));
  PetscFunctionReturn(0);
}

static PetscErrorCode Write(PsdConsensus consensus, PetscInt columns, const PetscInt column[], PetscBool upper,
                            const PetscReal matrix[], const char identity[], PetscReal panel[])
{
  PetscFunctionBeginUser;
  const PsdProblem problem = consensus->problem;
  const PetscInt64 D = problem->order;
  PsdArchive archive;
  PetscInt array;
  PetscCall(PsdArchiveCreate(problem->comm, consensus->gram_path, FORMAT, VERSION, &archive));
  PsdArchiveAddText(archive, "problem", identity);
  PetscCall(PsdTransformsAdd(problem->patches, archive));
  (void)PsdArchiveAddArray(archive, TARGETS, consensus->blocks->pairs, consensus->blocks->m);
  (void)PsdArchiveAddArray(archive, NOISE, consensus->blocks->pairs, consensus->blocks->m);
  array = PsdArchiveAddArray(archive, MATRIX, Begin(D, D), 1);
  if (!PsdArchiveLayout(archive)) {
    PetscCall(PsdTransformsPut(problem->patches, archive));
    PetscCall(Targets(consensus, archive, PETSC_TRUE));
    for (PetscInt at = 0, width; at < columns; at += width) {
      const PetscInt64 first = column[at];
      width = PanelWidth(at, columns, column);
      Pack(D, first, width, matrix + PanelOffset(D, at, upper), upper, panel);
      PsdArchivePut(archive, array, Begin(D, first), Begin(D, first + width) - Begin(D, first), panel);
    }
  }
  PetscFunctionReturn(PsdArchiveCommit(&archive));
}

PetscErrorCode PsdGramWrite(PsdConsensus consensus, PetscInt columns, const PetscInt column[], PetscBool upper,
                            const PetscReal matrix[])
{
  PetscFunctionBeginUser;
  char *identity;
  PetscReal *panel;
  if (!consensus->gram_path) PetscFunctionReturn(0);
  PetscCall(PetscMalloc2(PSD_ARCHIVE_TEXT, &identity, (size_t)PANEL * consensus->problem->order, &panel));
  PetscCall(PsdEventBegin(PSD_EVENT_CHECKPOINT));
  PetscCall(PsdProblemIdentify(consensus->problem, identity));
  const PetscErrorCode code = Write(consensus, columns, column, upper, matrix, identity, panel);
  PetscCall(PsdEventEnd(PSD_EVENT_CHECKPOINT));
  PetscCall(PetscFree2(identity, panel));
  if (code && code != PSD_ERR_INPUT) PetscFunctionReturn(code);
  if (code)
    PetscCall(
        PetscFPrintf(consensus->problem->comm, stderr, "psdnet: warning: A'A is not kept: %s\n", PsdErrorMessage()));
  PetscFunctionReturn(0);
}
