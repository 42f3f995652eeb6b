/*
   What ranks of psdnet say to each other, in order and without times: a library to be preloaded, between MPI's functions
   that the command has (src/app/count_mpi.c) and the MPI library. Rank r writes $RECORD.r, a line a call:

       phase NAME                        what follows belongs to it
       send RANK BYTES TAG, and recv     a message; a receipt stands where it is waited for
       KIND BYTES ROOT RANKS             a collective of these ranks, or of all: *; ROOT is -1 where there is none,
                                         and a reduce-scatter has BYTES,BYTES,..: of each rank

   With RECORD_NODE=N in the environment ranks are told that N after the other share a node.

   Ranks are those of MPI_COMM_WORLD. BYTES of a collective are those that jobs/scaling/replay.py names beside its kinds.
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <mpi.h>
#include <psdsys.h>
#include <stdio.h>
#include <stdlib.h>

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

static FILE *file;
static int phase = -2;

/* Receipts that have been asked for. */
typedef struct {
  MPI_Request request;
  MPI_Comm comm;
  int persistent;
} Pending;

static Pending *pending;
static size_t pending_count, pending_room;

/* ---------------------------------------------------------------- lines */

static FILE *File(void)
{
  if (!file) {
    char path[4096];
    int rank;
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    snprintf(path, sizeof(path), "%s.%d", getenv("RECORD") ? getenv("RECORD") : "record", rank);
    file = fopen(path, "w");
    if (!file) abort();
  }
  if (PsdPhaseCurrent() != phase) {
    phase = PsdPhaseCurrent();
    fprintf(file, "phase %s\n", phase < 0 ? "none" : PsdPhaseName((PsdPhase)phase));
  }
  return file;
}

static int World(MPI_Comm comm, int rank)
{
  MPI_Group group, world;
  int number;
  PMPI_Comm_group(comm, &group);
  PMPI_Comm_group(MPI_COMM_WORLD, &world);
  PMPI_Group_translate_ranks(group, 1, &rank, world, &number);
  PMPI_Group_free(&group);
  PMPI_Group_free(&world);
  return number;
}

static double Bytes(double count, MPI_Datatype type)
{
  int size;
  PMPI_Type_size(type, &size);
  return count * size;
}

static int Ranks(MPI_Comm comm)
{
  int ranks;
  PMPI_Comm_size(comm, &ranks);
  return ranks;
}

static double Sum(MPI_Comm comm, const int counts[])
{
  double sum = 0;
  for (int k = 0; k < Ranks(comm); k++) sum += counts[k];
  return sum;
}

static void Message(const char what[], MPI_Comm comm, int rank, double bytes, int tag)
{
  if (rank != MPI_PROC_NULL) fprintf(File(), "%s %d %.0f %d\n", what, World(comm, rank), bytes, tag);
}

static void Members(MPI_Comm comm)
{
  const int ranks = Ranks(comm);
  if (ranks == Ranks(MPI_COMM_WORLD)) fprintf(file, "*\n");
  else
    for (int k = 0; k < ranks; k++) fprintf(file, "%d%c", World(comm, k), k == ranks - 1 ? '\n' : ',');
}

static void Collective(const char kind[], double bytes, int root, MPI_Comm comm)
{
  if (Ranks(comm) == 1) return;
  fprintf(File(), "%s %.0f %d ", kind, bytes, root < 0 ? -1 : World(comm, root));
  Members(comm);
}

/* A reduce-scatter: bytes of each of the ranks in the place of their sum. */
static void Scattered(const int counts[], MPI_Datatype type, MPI_Comm comm)
{
  const int ranks = Ranks(comm);
  if (ranks == 1) return;
  fprintf(File(), "reduce_scatter ");
  for (int k = 0; k < ranks; k++) fprintf(file, "%.0f%s", Bytes(counts[k], type), k == ranks - 1 ? " -1 " : ",");
  Members(comm);
}

static void Received(MPI_Comm comm, const MPI_Status *status)
{
  int bytes;
  PMPI_Get_count(status, MPI_BYTE, &bytes);
  Message("recv", comm, status->MPI_SOURCE, bytes, status->MPI_TAG);
}

/* ---------------------------------------------------------------- nodes */

int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *made)
{
  const char *node = getenv("RECORD_NODE");
  int rank;
  if (type != MPI_COMM_TYPE_SHARED || !node) return PMPI_Comm_split_type(comm, type, key, info, made);
  PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return PMPI_Comm_split(comm, rank / atoi(node), key, made);
}

/* ---------------------------------------------------------------- messages */

int PMPI_Send(const void *from, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm)
{
  Message("send", comm, rank, Bytes(count, type), tag);
  return REAL(PMPI_Send)(from, count, type, rank, tag, comm);
}

int PMPI_Rsend(const void *from, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm)
{
  Message("send", comm, rank, Bytes(count, type), tag);
  return REAL(PMPI_Rsend)(from, count, type, rank, tag, comm);
}

int PMPI_Isend(const void *from, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm, MPI_Request *request)
{
  Message("send", comm, rank, Bytes(count, type), tag);
  return REAL(PMPI_Isend)(from, count, type, rank, tag, comm, request);
}

/* psdnet has no function of its own for it */
int MPI_Issend(const void *from, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm, MPI_Request *request)
{
  Message("send", comm, rank, Bytes(count, type), tag);
  return REAL(MPI_Issend)(from, count, type, rank, tag, comm, request);
}

int PMPI_Recv(void *to, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm, MPI_Status *status)
{
  MPI_Status own;
  const int code = REAL(PMPI_Recv)(to, count, type, rank, tag, comm, &own);
  Received(comm, &own);
  if (status != MPI_STATUS_IGNORE) *status = own;
  return code;
}

int PMPI_Sendrecv(const void *from, int count, MPI_Datatype type, int rank, int tag, void *to, int to_count,
                  MPI_Datatype to_type, int to_rank, int to_tag, MPI_Comm comm, MPI_Status *status)
{
  MPI_Status own;
  Message("send", comm, rank, Bytes(count, type), tag);
  const int code =
      REAL(PMPI_Sendrecv)(from, count, type, rank, tag, to, to_count, to_type, to_rank, to_tag, comm, &own);
  Received(comm, &own);
  if (status != MPI_STATUS_IGNORE) *status = own;
  return code;
}

/* ---------------------------------------------------------------- requests */

static void Ask(MPI_Request request, MPI_Comm comm, int persistent)
{
  if (pending_count == pending_room) {
    pending_room = 2 * pending_room + 64;
    pending = realloc(pending, pending_room * sizeof(*pending));
    if (!pending) abort();
  }
  pending[pending_count++] = (Pending){request, comm, persistent};
}

static Pending *Find(MPI_Request request)
{
  for (size_t k = pending_count; k-- > 0;)
    if (pending[k].request == request) return &pending[k];
  return NULL;
}

static void Complete(MPI_Request request, const MPI_Status *status)
{
  Pending *found = Find(request);
  if (!found || request == MPI_REQUEST_NULL) return;
  if (status->MPI_SOURCE != MPI_ANY_SOURCE) Received(found->comm, status);
  if (!found->persistent) *found = pending[--pending_count];
}

int PMPI_Irecv(void *to, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm, MPI_Request *request)
{
  const int code = REAL(PMPI_Irecv)(to, count, type, rank, tag, comm, request);
  Ask(*request, comm, 0);
  return code;
}

int PMPI_Recv_init(void *to, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm, MPI_Request *request)
{
  const int code = REAL(PMPI_Recv_init)(to, count, type, rank, tag, comm, request);
  Ask(*request, comm, 1);
  return code;
}

/* Persistent messages that are sent when they start. */
typedef struct {
  MPI_Request request;
  MPI_Comm comm;
  int rank, tag;
  double bytes;
} Sender;

static Sender *sender;
static size_t sender_count, sender_room;

int PMPI_Send_init(const void *from, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm,
                   MPI_Request *request)
{
  const int code = REAL(PMPI_Send_init)(from, count, type, rank, tag, comm, request);
  if (sender_count == sender_room) {
    sender_room = 2 * sender_room + 64;
    sender = realloc(sender, sender_room * sizeof(*sender));
    if (!sender) abort();
  }
  sender[sender_count++] = (Sender){*request, comm, rank, tag, Bytes(count, type)};
  return code;
}

static void Start(MPI_Request request)
{
  for (size_t k = sender_count; k-- > 0;)
    if (sender[k].request == request) {
      Message("send", sender[k].comm, sender[k].rank, sender[k].bytes, sender[k].tag);
      return;
    }
}

int PMPI_Start(MPI_Request *request)
{
  Start(*request);
  return REAL(PMPI_Start)(request);
}

int PMPI_Startall(int count, MPI_Request requests[])
{
  for (int k = 0; k < count; k++) Start(requests[k]);
  return REAL(PMPI_Startall)(count, requests);
}

int PMPI_Request_free(MPI_Request *request)
{
  Pending *found = Find(*request);
  if (found) *found = pending[--pending_count];
  for (size_t k = 0; k < sender_count; k++)
    if (sender[k].request == *request) sender[k] = sender[--sender_count];
  return REAL(PMPI_Request_free)(request);
}

int PMPI_Wait(MPI_Request *request, MPI_Status *status)
{
  MPI_Status own;
  const MPI_Request before = *request;
  const int code = REAL(PMPI_Wait)(request, &own);
  Complete(before, &own);
  if (status != MPI_STATUS_IGNORE) *status = own;
  return code;
}

/* psdnet has no function of its own for it */
int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status)
{
  MPI_Status own;
  const MPI_Request before = *request;
  const int code = REAL(MPI_Test)(request, flag, &own);
  if (*flag) Complete(before, &own);
  if (status != MPI_STATUS_IGNORE) *status = own;
  return code;
}

int PMPI_Waitall(int count, MPI_Request requests[], MPI_Status statuses[])
{
  const size_t room = (size_t)count + 1;
  MPI_Status *own = malloc(room * sizeof(*own));
  MPI_Request *before = malloc(room * sizeof(*before));
  if (!own || !before) abort();
  for (int k = 0; k < count; k++) before[k] = requests[k];
  const int code = REAL(PMPI_Waitall)(count, requests, own);
  for (int k = 0; k < count; k++) {
    Complete(before[k], &own[k]);
    if (statuses != MPI_STATUSES_IGNORE) statuses[k] = own[k];
  }
  free(own);
  free(before);
  return code;
}

int PMPI_Waitany(int count, MPI_Request requests[], int *which, MPI_Status *status)
{
  MPI_Status own;
  MPI_Request *before = malloc(((size_t)count + 1) * sizeof(*before));
  if (!before) abort();
  for (int k = 0; k < count; k++) before[k] = requests[k];
  const int code = REAL(PMPI_Waitany)(count, requests, which, &own);
  if (*which != MPI_UNDEFINED) Complete(before[*which], &own);
  if (status != MPI_STATUS_IGNORE) *status = own;
  free(before);
  return code;
}

/* ---------------------------------------------------------------- collectives */

int PMPI_Bcast(void *array, int count, MPI_Datatype type, int root, MPI_Comm comm)
{
  Collective("bcast", Bytes(count, type), root, comm);
  return REAL(PMPI_Bcast)(array, count, type, root, comm);
}

int PMPI_Reduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, int root, MPI_Comm comm)
{
  Collective("reduce", Bytes(count, type), root, comm);
  return REAL(PMPI_Reduce)(from, to, count, type, op, root, comm);
}

int PMPI_Allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
  Collective("allreduce", Bytes(count, type), -1, comm);
  return REAL(PMPI_Allreduce)(from, to, count, type, op, comm);
}

int PMPI_Iallreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm,
                    MPI_Request *request)
{
  Collective("allreduce", Bytes(count, type), -1, comm);
  return REAL(PMPI_Iallreduce)(from, to, count, type, op, comm, request);
}

int PMPI_Reduce_scatter(const void *from, void *to, const int counts[], MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
  Scattered(counts, type, comm);
  return REAL(PMPI_Reduce_scatter)(from, to, counts, type, op, comm);
}

int PMPI_Gather(const void *from, int count, MPI_Datatype type, void *to, int to_count, MPI_Datatype to_type, int root,
                MPI_Comm comm)
{
  Collective("gather", Bytes(count, type) * Ranks(comm), root, comm);
  return REAL(PMPI_Gather)(from, count, type, to, to_count, to_type, root, comm);
}

int PMPI_Gatherv(const void *from, int count, MPI_Datatype type, void *to, const int to_counts[], const int starts[],
                 MPI_Datatype to_type, int root, MPI_Comm comm)
{
  Collective("gather", Bytes(count, type) * Ranks(comm), root, comm);
  return REAL(PMPI_Gatherv)(from, count, type, to, to_counts, starts, to_type, root, comm);
}

int PMPI_Allgather(const void *from, int count, MPI_Datatype type, void *to, int to_count, MPI_Datatype to_type,
                   MPI_Comm comm)
{
  Collective("allgather", Bytes(to_count, to_type) * Ranks(comm), -1, comm);
  return REAL(PMPI_Allgather)(from, count, type, to, to_count, to_type, comm);
}

int PMPI_Allgatherv(const void *from, int count, MPI_Datatype type, void *to, const int to_counts[], const int starts[],
                    MPI_Datatype to_type, MPI_Comm comm)
{
  Collective("allgather", Bytes(Sum(comm, to_counts), to_type), -1, comm);
  return REAL(PMPI_Allgatherv)(from, count, type, to, to_counts, starts, to_type, comm);
}

int PMPI_Barrier(MPI_Comm comm)
{
  Collective("barrier", 0, -1, comm);
  return REAL(PMPI_Barrier)(comm);
}
