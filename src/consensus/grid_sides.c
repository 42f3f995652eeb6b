/*
   Vectors between the ranks that hold them and the rows and columns of the grid that their numbers belong to.

   On several nodes the ranks of one node that want the same numbers are a team. Each fetches a share of them, and they hand
   the shares to each other, so that a number enters a node once and not once for each row of the grid there. What they have
   found is added up within the team in the same way, before it leaves the node. On one node each rank fetches what it wants.
*/
#include "grid_impl.h"

/* Where number `row` of the first column of a vector is among the numbers of all ranks, and how far on those of the
   next columns are. start, count: of each rank. */
static PetscInt Place(PsdGrid it, const PetscInt start[], const PetscInt count[], PetscInt row, PetscInt column)
{
  const PetscInt block = row / it->block, rank = block % it->shape.used;
  return start[rank] + column * count[rank] + block / it->shape.used * it->block + row % it->block;
}

/* Blocks with number mod places = at. */
typedef struct {
  PetscMPIInt at, places;
} Axis;

/* ---------------------------------------------------------------- teams */

/* keeper: for each rank the member of the team that fetches what it has of the side, which is that rank itself, if it
   is one of them, and otherwise one who has least to fetch. member: their ranks. */
static PetscErrorCode ShareOut(PsdGrid it, Axis axis, PetscMPIInt size, const PetscMPIInt member[],
                               PetscMPIInt keeper[])
{
  PetscFunctionBeginUser;
  const PetscMPIInt used = it->shape.used;
  PetscInt *held, *fetched;
  PetscCall(PetscCalloc2(used, &held, size, &fetched));
  for (PetscInt J = axis.at; J * it->block < it->N; J += axis.places)
    held[J % used] += PetscMin(it->block, it->N - J * it->block);
  for (PetscMPIInt r = 0; r < used; r++) keeper[r] = -1;
  for (PetscMPIInt m = 0; m < size; m++) {
    keeper[member[m]] = m;
    fetched[m] = held[member[m]];
  }
  for (PetscMPIInt r = 0; r < used; r++) {
    PetscMPIInt least = 0;
    if (keeper[r] >= 0) continue;
    for (PetscMPIInt m = 1; m < size; m++)
      if (fetched[m] < fetched[least]) least = m;
    keeper[r] = least;
    fetched[least] += held[r];
  }
  PetscCall(PetscFree2(held, fetched));
  PetscFunctionReturn(0);
}

/* length, start and place of a team whose members fetch what keeper says */
static PetscErrorCode LayOut(PsdGrid it, Axis axis, PetscInt count, const PetscMPIInt keeper[], PsdGridTeam team)
{
  PetscFunctionBeginUser;
  PetscInt filled = 0;
  for (PetscMPIInt m = 0; m < team->size; m++) {
    const PetscInt first = filled;
    for (PetscInt k = 0; k < count; k++)
      if (keeper[PsdCyclicNumber(k, it->block, axis.at, axis.places) / it->block % it->shape.used] == m)
        team->place[filled++] = k;
    PetscCall(PetscMPIIntCast(first * it->rhs, &team->start[m]));
    PetscCall(PetscMPIIntCast((filled - first) * it->rhs, &team->length[m]));
  }
  PetscFunctionReturn(0);
}

/* comm: the ranks that want the same numbers; NULL for one that is alone on its node. Collective on comm. */
static PetscErrorCode TeamCreate(PsdGrid it, Axis axis, MPI_Comm comm, PetscMPIInt node, PetscInt count,
                                 PsdGridTeam *team)
{
  PetscFunctionBeginUser;
  PsdGridTeam made;
  PetscMPIInt place, *member, *keeper;
  PetscCall(PetscNew(&made));
  PetscCallMPI(MPI_Comm_rank(comm, &place));
  PetscCallMPI(MPI_Comm_split(comm, node, place, &made->comm));
  PetscCallMPI(MPI_Comm_size(made->comm, &made->size));
  PetscCall(PetscMalloc3(made->size, &made->length, made->size, &made->start, count, &made->place));
  PetscCall(PetscMalloc2(made->size, &member, it->shape.used, &keeper));
  PetscCallMPI(MPI_Allgather(&it->rank, 1, MPI_INT, member, 1, MPI_INT, made->comm));
  PetscCall(ShareOut(it, axis, made->size, member, keeper));
  PetscCall(LayOut(it, axis, count, keeper, made));
  PetscCall(PetscFree2(member, keeper));
  PetscCallMPI(MPI_Comm_rank(made->comm, &place));
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, made->length[place], &made->share));
  *team = made;
  PetscFunctionReturn(0);
}

static PetscErrorCode TeamDestroy(PsdGridTeam *team)
{
  PetscFunctionBeginUser;
  if (!*team) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Comm_free(&(*team)->comm));
  PetscCall(PetscFree3((*team)->length, (*team)->start, (*team)->place));
  PetscCall(VecDestroy(&(*team)->share));
  PetscCall(PetscFree(*team));
  PetscFunctionReturn(0);
}

/* packed <- all numbers of x, share after share, or back */
static void Pack(PsdGrid it, const PsdGridSide *side, PetscReal x[], PetscBool pack)
{
  const PsdGridTeam team = side->team;
  for (PetscMPIInt m = 0; m < team->size; m++) {
    const PetscInt rows = team->length[m] / it->rhs, *place = team->place + team->start[m] / it->rhs;
    for (PetscInt t = 0; t < it->rhs; t++) {
      PetscReal *packed = it->packed + team->start[m] + (size_t)t * (size_t)rows,
                *numbers = x + (size_t)t * (size_t)side->count;
      for (PetscInt k = 0; k < rows; k++)
        if (pack) packed[k] = numbers[place[k]];
        else numbers[place[k]] = packed[k];
    }
  }
}

/* side->x <- the shares of all members */
static PetscErrorCode JoinShares(PsdGrid it, PsdGridSide *side)
{
  PetscFunctionBeginUser;
  const PsdGridTeam team = side->team;
  const PetscReal *share;
  PetscReal *x;
  PetscMPIInt place;
  PetscCallMPI(MPI_Comm_rank(team->comm, &place));
  PetscCall(VecGetArrayRead(team->share, &share));
  PetscCallMPI(MPI_Allgatherv(share, team->length[place], MPIU_REAL, it->packed, team->length, team->start, MPIU_REAL,
                              team->comm));
  PetscCall(VecRestoreArrayRead(team->share, &share));
  PetscCall(VecGetArrayWrite(side->x, &x));
  Pack(it, side, x, PETSC_FALSE);
  PetscCall(VecRestoreArrayWrite(side->x, &x));
  PetscFunctionReturn(0);
}

/* the share of each member <- what all have of it in `part` */
static PetscErrorCode AddShares(PsdGrid it, PsdGridSide *side, Vec part)
{
  PetscFunctionBeginUser;
  PetscReal *x, *share;
  PetscCall(VecGetArray(part, &x));
  Pack(it, side, x, PETSC_TRUE);
  PetscCall(VecRestoreArray(part, &x));
  PetscCall(VecGetArrayWrite(side->team->share, &share));
  PetscCallMPI(MPI_Reduce_scatter(it->packed, share, side->team->length, MPIU_REAL, MPI_SUM, side->team->comm));
  PetscCall(VecRestoreArrayWrite(side->team->share, &share));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- sides */

/* x and y, and the way to x, or to the share of the team, from the ranks that hold the vector. start, count: as Place. */
static PetscErrorCode SideCreate(PsdGrid it, Axis axis, const PetscInt start[], const PetscInt count[],
                                 PsdGridSide *side)
{
  PetscFunctionBeginUser;
  const PsdGridTeam team = side->team;
  PetscInt length = side->count * it->rhs, *from, *place = NULL;
  PetscMPIInt member;
  IS from_set, to_set;
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, length, &side->x));
  PetscCall(VecDuplicate(side->x, &side->y));
  if (team) {
    PetscCallMPI(MPI_Comm_rank(team->comm, &member));
    length = team->length[member];
    place = team->place + team->start[member] / it->rhs;
  }
  const PetscInt rows = length / it->rhs;
  PetscCall(PetscMalloc1(length, &from));
  for (PetscInt t = 0; t < it->rhs; t++)
    for (PetscInt k = 0; k < rows; k++) {
      const PetscInt row = PsdCyclicNumber(place ? place[k] : k, it->block, axis.at, axis.places);
      from[t * rows + k] = Place(it, start, count, row, t);
    }
  PetscCall(ISCreateGeneral(PETSC_COMM_SELF, length, from, PETSC_OWN_POINTER, &from_set));
  PetscCall(ISCreateStride(PETSC_COMM_SELF, length, 0, 1, &to_set));
  PetscCall(VecScatterCreate(it->vector, from_set, team ? team->share : side->x, to_set, &side->gather));
  PetscCall(ISDestroy(&from_set));
  PetscCall(ISDestroy(&to_set));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateTeams(PsdGrid it, Axis rows, Axis columns, const PetscMPIInt node[])
{
  PetscFunctionBeginUser;
  PetscBool several = PETSC_FALSE;
  for (PetscMPIInt r = 1; r < it->shape.used; r++)
    if (node[r] != node[0]) several = PETSC_TRUE;
  if (!several || it->row < 0) PetscFunctionReturn(0);
  PetscCall(TeamCreate(it, rows, it->line, node[it->rank], it->rows.count, &it->rows.team));
  PetscCall(TeamCreate(it, columns, it->file, node[it->rank], it->cols.count, &it->cols.team));
  if (it->rows.team->size == 1) PetscCall(TeamDestroy(&it->rows.team));
  if (it->cols.team->size == 1) PetscCall(TeamDestroy(&it->cols.team));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridSidesCreate(PsdGrid it, const PetscMPIInt node[])
{
  PetscFunctionBeginUser;
  const PetscMPIInt used = it->shape.used;
  const Axis rows = {it->row, it->shape.height}, columns = {it->column, it->shape.width};
  PetscInt *start, *count, sum = 0;
  PetscCall(PetscMalloc2(used, &start, used, &count));
  for (PetscMPIInt rank = 0; rank < used; rank++) {
    start[rank] = sum;
    count[rank] = PsdGridColumns(it->N, it->block, &it->shape, rank);
    sum += count[rank] * it->rhs;
  }
  PetscCall(VecCreateMPIWithArray(it->comm, 1, it->columns * it->rhs, PETSC_DETERMINE, NULL, &it->vector));
  PetscCall(CreateTeams(it, rows, columns, node));
  PetscCall(SideCreate(it, rows, start, count, &it->rows));
  PetscCall(SideCreate(it, columns, start, count, &it->cols));
  PetscCall(PetscMalloc1((size_t)PetscMax(it->rows.count, it->cols.count) * (size_t)it->rhs + 1, &it->packed));
  PetscCall(PetscFree2(start, count));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridSidesDestroy(PsdGrid it)
{
  PetscFunctionBeginUser;
  PsdGridSide *const sides[2] = {&it->rows, &it->cols};
  for (size_t k = 0; k < 2; k++) {
    PetscCall(VecDestroy(&sides[k]->x));
    PetscCall(VecDestroy(&sides[k]->y));
    PetscCall(VecScatterDestroy(&sides[k]->gather));
    PetscCall(TeamDestroy(&sides[k]->team));
  }
  PetscCall(VecDestroy(&it->vector));
  PetscCall(PetscFree(it->packed));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridGather(PsdGrid it, const PetscReal x[], PsdGridSide *side)
{
  PetscFunctionBeginUser;
  const Vec to = side->team ? side->team->share : side->x;
  PetscCall(VecPlaceArray(it->vector, x));
  PetscCall(VecScatterBegin(side->gather, it->vector, to, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(side->gather, it->vector, to, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecResetArray(it->vector));
  if (side->team) PetscCall(JoinShares(it, side));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridAddUp(PsdGrid it, PsdGridSide *side, Vec part, PetscReal x[])
{
  PetscFunctionBeginUser;
  const Vec from = side->team ? side->team->share : part;
  if (side->team) PetscCall(AddShares(it, side, part));
  PetscCall(VecPlaceArray(it->vector, x));
  PetscCall(VecScatterBegin(side->gather, from, it->vector, ADD_VALUES, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(side->gather, from, it->vector, ADD_VALUES, SCATTER_REVERSE));
  PetscCall(VecResetArray(it->vector));
  PetscFunctionReturn(0);
}
