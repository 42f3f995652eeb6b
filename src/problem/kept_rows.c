/*
   Rows as whole numbers: one array, and a unit for each piece of each row.
*/
#include "kept_rows.h"
#include "whole.h"

struct _p_PsdKeptRows {
  size_t rows, row_length;
  PetscInt pieces, *length; /* of a row, and of each of its pieces */
  int32_t *whole;
  PetscReal *unit; /* pieces of each row */
};

PetscErrorCode PsdKeptRowsCreate(size_t rows, PetscInt pieces, const PetscInt length[], PsdKeptRows *kept)
{
  PetscFunctionBeginUser;
  PsdKeptRows it;
  PetscCall(PetscNew(&it));
  it->rows = rows;
  it->pieces = pieces;
  for (PetscInt piece = 0; piece < pieces; piece++) it->row_length += (size_t)length[piece];
  PetscCall(PetscMalloc1(pieces, &it->length));
  PetscCall(PetscArraycpy(it->length, length, pieces));
  PetscCall(PetscMalloc1(rows * it->row_length, &it->whole));
  PetscCall(PetscMalloc1(rows * (size_t)pieces, &it->unit));
  *kept = it;
  PetscFunctionReturn(0);
}

void PsdKeptRowsPut(PsdKeptRows it, size_t i, const PetscReal row[], PetscReal lost[])
{
  int32_t *whole = it->whole + i * it->row_length;
  PetscReal *unit = it->unit + i * (size_t)it->pieces;
  for (PetscInt piece = 0; piece < it->pieces; piece++) {
    const PetscInt m = it->length[piece];
    const PetscReal error = PsdWhole(m, row, unit + piece, whole);
    if (lost) lost[piece] += error;
    row += m;
    whole += m;
  }
}

void PsdKeptRowsGet(PsdKeptRows it, size_t i, PetscReal row[])
{
  const int32_t *whole = it->whole + i * it->row_length;
  const PetscReal *unit = it->unit + i * (size_t)it->pieces;
  for (PetscInt piece = 0; piece < it->pieces; piece++) {
    const PetscInt m = it->length[piece];
    PsdFromWhole(m, unit[piece], whole, row);
    row += m;
    whole += m;
  }
}

void *PsdKeptRowsPlace(PsdKeptRows kept, size_t *bytes)
{
  *bytes = kept->rows * kept->row_length * sizeof(*kept->whole);
  return kept->whole;
}

PetscErrorCode PsdKeptRowsDestroy(PsdKeptRows *kept)
{
  PetscFunctionBeginUser;
  if (!*kept) PetscFunctionReturn(0);
  PetscCall(PetscFree((*kept)->length));
  PetscCall(PetscFree((*kept)->whole));
  PetscCall(PetscFree((*kept)->unit));
  PetscCall(PetscFree(*kept));
  PetscFunctionReturn(0);
}
