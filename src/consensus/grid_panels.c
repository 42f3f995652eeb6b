/*
   Panels of the distributed matrix, dealt out in turn to the ranks of a column of the grid. Each rank of the column has
   some rows of a panel, from the block on the diagonal down, as they are in its part of the matrix.
*/
#include "grid_panels.h"
#include "grid_impl.h"

struct _p_PsdGridPanels {
  PsdGrid grid;
  MPI_Comm comm;                /* this column of the grid; ranks in the order of its rows */
  PetscMPIInt *counts, *starts; /* of each: numbers of a panel, and where they begin in `pieces` */
  PetscReal *piece, *pieces;    /* this rank's rows x block; all ranks', N x block */
  PetscReal *numbers;           /* N x block */
};

PetscErrorCode PsdGridPanelsCreate(PsdGrid grid, PsdGridPanels *panels)
{
  PetscFunctionBeginUser;
  PsdGridPanels it;
  const size_t block = (size_t)grid->block, N = (size_t)grid->N;
  const PetscBool used = (PetscBool)(grid->row >= 0);
  PetscCall(PetscNew(&it));
  it->grid = grid;
  PetscCallMPI(MPI_Comm_split(grid->comm, used ? grid->column : MPI_UNDEFINED, grid->row, &it->comm));
  PetscCall(PetscMalloc2(grid->shape.height, &it->counts, grid->shape.height, &it->starts));
  PetscCall(PetscMalloc3((size_t)grid->rows.count * block, &it->piece, used ? N * block : 0, &it->pieces,
                         used ? N * block : 0, &it->numbers));
  *panels = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridPanelsDestroy(PsdGridPanels *panels)
{
  PetscFunctionBeginUser;
  PsdGridPanels it = *panels;
  if (it->comm != MPI_COMM_NULL) PetscCallMPI(MPI_Comm_free(&it->comm));
  PetscCall(PetscFree2(it->counts, it->starts));
  PetscCall(PetscFree3(it->piece, it->pieces, it->numbers));
  PetscCall(PetscFree(*panels));
  PetscFunctionReturn(0);
}

PetscInt PsdGridPanelsCount(PsdGridPanels it)
{
  return (it->grid->cols.count + it->grid->block - 1) / it->grid->block;
}

PsdPanel PsdGridPanelsAt(PsdGridPanels it, PetscInt k)
{
  const PsdGrid grid = it->grid;
  const PetscInt first = PsdCyclicNumber(k * grid->block, grid->block, grid->column, grid->shape.width);
  const PetscBool here = (PetscBool)(k % grid->shape.height == grid->row);
  return (PsdPanel){first, PetscMin(grid->block, grid->N - first), here, it->numbers};
}

/* Rows of the panel that a row of the grid has; above: those above it. */
static PetscInt CountRows(PsdGrid grid, const PsdPanel *panel, PetscMPIInt row, PetscInt *above)
{
  *above = PsdCyclicCount(panel->first, grid->block, row, grid->shape.height);
  return PsdCyclicCount(grid->N, grid->block, row, grid->shape.height) - *above;
}

static void CountPieces(PsdGridPanels it, const PsdPanel *panel)
{
  PetscInt above;
  for (PetscMPIInt row = 0, start = 0; row < it->grid->shape.height; row++) {
    it->starts[row] = start;
    it->counts[row] = (PetscMPIInt)(CountRows(it->grid, panel, row, &above) * panel->width);
    start += it->counts[row];
  }
}

/* Numbers between the pieces, by columns, and the panel. */
static void Arrange(PsdGridPanels it, const PsdPanel *panel, PetscBool gather)
{
  const PsdGrid grid = it->grid;
  PetscInt above;
  for (PetscMPIInt row = 0; row < grid->shape.height; row++) {
    const PetscInt rows = CountRows(grid, panel, row, &above);
    PetscReal *piece = it->pieces + it->starts[row], *column = panel->numbers;
    for (PetscInt k = 0; k < panel->width; column += grid->N - panel->first - k, k++, piece += rows)
      for (PetscInt i = 0; i < rows; i++) {
        const PetscInt below = PsdCyclicNumber(above + i, grid->block, row, grid->shape.height) - panel->first - k;
        if (below >= 0 && gather) column[below] = piece[i];
        else if (!gather) piece[i] = below >= 0 ? column[below] : 0;
      }
  }
}

/* This rank's rows between its part of the matrix and its piece. */
static PetscErrorCode CopyPiece(PsdGridPanels it, const PsdPanel *panel, PetscInt k, PetscBool gather)
{
  PetscFunctionBeginUser;
  const PsdGrid grid = it->grid;
  PetscInt above;
  const PetscInt rows = CountRows(grid, panel, grid->row, &above);
  PetscReal *piece = it->piece;
  for (PetscInt j = k * grid->block; j < k * grid->block + panel->width; j++, piece += rows) {
    PetscReal *part = grid->matrix + (size_t)j * (size_t)grid->rows.count + (size_t)above;
    PetscCall(PetscArraycpy(gather ? piece : part, gather ? part : piece, rows));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridPanelsGather(PsdGridPanels it, PetscInt k)
{
  PetscFunctionBeginUser;
  const PsdPanel panel = PsdGridPanelsAt(it, k);
  const PetscMPIInt root = (PetscMPIInt)(k % it->grid->shape.height);
  CountPieces(it, &panel);
  PetscCall(CopyPiece(it, &panel, k, PETSC_TRUE));
  PetscCallMPI(MPI_Gatherv(it->piece, it->counts[it->grid->row], MPIU_REAL, it->pieces, it->counts, it->starts,
                           MPIU_REAL, root, it->comm));
  if (panel.here) Arrange(it, &panel, PETSC_TRUE);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridPanelsScatter(PsdGridPanels it, PetscInt k)
{
  PetscFunctionBeginUser;
  const PsdPanel panel = PsdGridPanelsAt(it, k);
  const PetscMPIInt root = (PetscMPIInt)(k % it->grid->shape.height);
  CountPieces(it, &panel);
  if (panel.here) Arrange(it, &panel, PETSC_FALSE);
  PetscCallMPI(MPI_Scatterv(it->pieces, it->counts, it->starts, MPIU_REAL, it->piece, it->counts[it->grid->row],
                            MPIU_REAL, root, it->comm));
  PetscCall(CopyPiece(it, &panel, k, PETSC_FALSE));
  PetscFunctionReturn(0);
}
