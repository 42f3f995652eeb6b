/*
   MPI's functions under their own names, which count and hand on to the library by its profiling interface (PMPI). The
   command has them, so that calls of PETSc, SLEPc and ScaLAPACK come here as well; libpsdnet has them not.

   Bytes are what this rank sends or gives: of a message its length, of a collective the array of this rank, of those
   whose result is put together from all ranks that result.
*/
#include "app.h"
#include <stdlib.h>

#undef MPI_Allreduce /* PETSc's headers have macros of some of these names */
#undef MPI_Alltoall
#undef MPI_Alltoallv
#undef MPI_Bcast
#undef MPI_Reduce
#undef MPI_Reduce_scatter
#undef MPI_Reduce_scatter_block
#undef MPI_Gather
#undef MPI_Gatherv
#undef MPI_Allgather
#undef MPI_Allgatherv
#undef MPI_Scatter
#undef MPI_Scatterv
#undef MPI_Scan
#undef MPI_Exscan
#undef MPI_Barrier
#undef MPI_Iallreduce
#undef MPI_Ibarrier
#undef MPI_Isend
#undef MPI_Irecv
#undef MPI_Send
#undef MPI_Recv
#undef MPI_Rsend
#undef MPI_Sendrecv
#undef MPI_Start
#undef MPI_Startall
#undef MPI_Wait
#undef MPI_Waitall
#undef MPI_Waitany
#undef MPI_Waitsome
#undef MPI_Send_init
#undef MPI_Recv_init
#undef MPI_Request_free

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

/* The body of each function: what it is counted as, its bytes, and the library's own. */
#define COUNTED(what, bytes, call)                                                                                     \
  {                                                                                                                    \
    if (!PsdCounting) return call;                                                                                     \
    const double start = PMPI_Wtime();                                                                                 \
    const int code = call;                                                                                             \
    PsdCountAdd(what, bytes, PMPI_Wtime() - start);                                                                    \
    return code;                                                                                                       \
  }

/* ---------------------------------------------------------------- messages */

int MPI_Send(const void *from, int count, MPI_Datatype type, int rank, int tag,
             MPI_Comm comm) COUNTED(PSD_MPI_SEND, Bytes(count, type), PMPI_Send(from, count, type, rank, tag, comm))

    int MPI_Rsend(const void *from, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm)
        COUNTED(PSD_MPI_SEND, Bytes(count, type), PMPI_Rsend(from, count, type, rank, tag, comm))

            int MPI_Isend(const void *from, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm,
                          MPI_Request *request) COUNTED(PSD_MPI_SEND, Bytes(count, type),
                                                        PMPI_Isend(from, count, type, rank, tag, comm, request))

                int MPI_Recv(void *to, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm,
                             MPI_Status *status) COUNTED(PSD_MPI_RECV, Bytes(count, type),
                                                         PMPI_Recv(to, count, type, rank, tag, comm, status))

                    int MPI_Irecv(void *to, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm,
                                  MPI_Request *request) COUNTED(PSD_MPI_RECV, Bytes(count, type),
                                                                PMPI_Irecv(to, count, type, rank, tag, comm, request))

                        int MPI_Sendrecv(const void *from, int count, MPI_Datatype type, int rank, int tag, void *to,
                                         int to_count, MPI_Datatype to_type, int to_rank, int to_tag, MPI_Comm comm,
                                         MPI_Status *status)
                            COUNTED(PSD_MPI_SENDRECV, Bytes(count, type),
                                    PMPI_Sendrecv(from, count, type, rank, tag, to, to_count, to_type, to_rank, to_tag,
                                                  comm, status))

                                int MPI_Wait(MPI_Request *request,
                                             MPI_Status *status) COUNTED(PSD_MPI_WAIT, 0, PMPI_Wait(request, status))

                                    int MPI_Waitall(int count, MPI_Request requests[], MPI_Status statuses[])
                                        COUNTED(PSD_MPI_WAIT, 0, PMPI_Waitall(count, requests, statuses))

                                            int MPI_Waitany(int count, MPI_Request requests[], int *which,
                                                            MPI_Status *status)
                                                COUNTED(PSD_MPI_WAIT, 0, PMPI_Waitany(count, requests, which, status))

                                                    int MPI_Waitsome(int count, MPI_Request requests[], int *done,
                                                                     int which[], MPI_Status statuses[])
                                                        COUNTED(PSD_MPI_WAIT, 0,
                                                                PMPI_Waitsome(count, requests, done, which, statuses))

    /* ---------------------------------------------------------------- persistent messages: PETSc's scatters */

    /* What a request that is started again and again stands for. */
    typedef struct {
  MPI_Request request;
  PsdMpiCall call;
  double bytes;
} Persistent;

static struct {
  Persistent *entry;
  size_t count, room;
} persistent;

static Persistent *Find(MPI_Request request)
{
  for (size_t k = persistent.count; k-- > 0;)
    if (persistent.entry[k].request == request) return &persistent.entry[k];
  return NULL;
}

/* Without memory for it the request is not counted. */
static void Remember(MPI_Request request, PsdMpiCall call, double bytes)
{
  Persistent *entry = Find(request);
  if (!entry && persistent.count == persistent.room) {
    const size_t room = 2 * persistent.room + 64;
    Persistent *larger = realloc(persistent.entry, room * sizeof(*larger));
    if (!larger) return;
    persistent.entry = larger;
    persistent.room = room;
  }
  if (!entry) entry = &persistent.entry[persistent.count++];
  *entry = (Persistent){request, call, bytes};
}

static void CountStart(MPI_Request request)
{
  const Persistent *entry = PsdCounting ? Find(request) : NULL;
  if (entry) PsdCountAdd(entry->call, entry->bytes, 0);
}

int MPI_Send_init(const void *from, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm,
                  MPI_Request *request)
{
  const int code = PMPI_Send_init(from, count, type, rank, tag, comm, request);
  if (PsdCounting) Remember(*request, PSD_MPI_SEND, Bytes(count, type));
  return code;
}

int MPI_Recv_init(void *to, int count, MPI_Datatype type, int rank, int tag, MPI_Comm comm, MPI_Request *request)
{
  const int code = PMPI_Recv_init(to, count, type, rank, tag, comm, request);
  if (PsdCounting) Remember(*request, PSD_MPI_RECV, Bytes(count, type));
  return code;
}

int MPI_Request_free(MPI_Request *request)
{
  Persistent *entry = Find(*request);
  if (entry) *entry = persistent.entry[--persistent.count];
  return PMPI_Request_free(request);
}

int MPI_Start(MPI_Request *request)
{
  CountStart(*request);
  return PMPI_Start(request);
}

int MPI_Startall(int count, MPI_Request requests[])
{
  for (int k = 0; k < count; k++) CountStart(requests[k]);
  return PMPI_Startall(count, requests);
}

/* ---------------------------------------------------------------- collectives */

int MPI_Bcast(void *array, int count, MPI_Datatype type, int root,
              MPI_Comm comm) COUNTED(PSD_MPI_BCAST, Bytes(count, type), PMPI_Bcast(array, count, type, root, comm))

    int MPI_Reduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, int root,
                   MPI_Comm comm) COUNTED(PSD_MPI_REDUCE, Bytes(count, type),
                                          PMPI_Reduce(from, to, count, type, op, root, comm))

        int MPI_Allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op,
                          MPI_Comm comm) COUNTED(PSD_MPI_ALLREDUCE, Bytes(count, type),
                                                 PMPI_Allreduce(from, to, count, type, op, comm))

            int MPI_Iallreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm,
                               MPI_Request *request) COUNTED(PSD_MPI_ALLREDUCE, Bytes(count, type),
                                                             PMPI_Iallreduce(from, to, count, type, op, comm, request))

                int MPI_Reduce_scatter(const void *from, void *to, const int counts[], MPI_Datatype type, MPI_Op op,
                                       MPI_Comm comm) COUNTED(PSD_MPI_REDUCE_SCATTER, Bytes(Sum(comm, counts), type),
                                                              PMPI_Reduce_scatter(from, to, counts, type, op, comm))

                    int MPI_Reduce_scatter_block(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op,
                                                 MPI_Comm comm)
                        COUNTED(PSD_MPI_REDUCE_SCATTER, Bytes((double)count *Ranks(comm), type),
                                PMPI_Reduce_scatter_block(from, to, count, type, op, comm))

                            int MPI_Gather(const void *from, int count, MPI_Datatype type, void *to, int to_count,
                                           MPI_Datatype to_type, int root,
                                           MPI_Comm comm) COUNTED(PSD_MPI_GATHER, Bytes(count, type),
                                                                  PMPI_Gather(from, count, type, to, to_count, to_type,
                                                                              root, comm))

                                int MPI_Gatherv(const void *from, int count, MPI_Datatype type, void *to,
                                                const int to_counts[], const int starts[], MPI_Datatype to_type,
                                                int root, MPI_Comm comm)
                                    COUNTED(PSD_MPI_GATHER, Bytes(count, type),
                                            PMPI_Gatherv(from, count, type, to, to_counts, starts, to_type, root, comm))

                                        int MPI_Allgather(const void *from, int count, MPI_Datatype type, void *to,
                                                          int to_count, MPI_Datatype to_type, MPI_Comm comm)
                                            COUNTED(PSD_MPI_ALLGATHER, Bytes((double)to_count *Ranks(comm), to_type),
                                                    PMPI_Allgather(from, count, type, to, to_count, to_type, comm))

                                                int MPI_Allgatherv(const void *from, int count, MPI_Datatype type,
                                                                   void *to, const int to_counts[], const int starts[],
                                                                   MPI_Datatype to_type,
                                                                   MPI_Comm comm) COUNTED(PSD_MPI_ALLGATHER,
                                                                                          Bytes(Sum(comm, to_counts),
                                                                                                to_type),
                                                                                          PMPI_Allgatherv(
                                                                                              from, count, type,
                                                                                              to, to_counts, starts,
                                                                                              to_type, comm))

                                                    int MPI_Scatter(
                                                        const void
                                                            *from,
                                                        int count,
                                                        MPI_Datatype type,
                                                        void *to, int to_count,
                                                        MPI_Datatype to_type, int root,
                                                        MPI_Comm
                                                            comm) COUNTED(PSD_MPI_SCATTER, Bytes(to_count, to_type),
                                                                          PMPI_Scatter(
                                                                              from, count,
                                                                              type, to, to_count, to_type, root, comm))

                                                        int MPI_Scatterv(
                                                            const void
                                                                *from,
                                                            const int
                                                                counts[],
                                                            const int
                                                                starts[],
                                                            MPI_Datatype type,
                                                            void *to, int to_count, MPI_Datatype to_type, int root,
                                                            MPI_Comm comm) COUNTED(PSD_MPI_SCATTER,
                                                                                   Bytes(to_count, to_type),
                                                                                   PMPI_Scatterv(from, counts, starts,
                                                                                                 type, to, to_count,
                                                                                                 to_type, root, comm))

                                                            int MPI_Alltoall(const void *from, int count,
                                                                             MPI_Datatype type, void *to, int to_count,
                                                                             MPI_Datatype to_type, MPI_Comm comm)
                                                                COUNTED(
                                                                    PSD_MPI_ALLTOALL,
                                                                    Bytes((double)count *Ranks(comm), type),
                                                                    PMPI_Alltoall(from, count, type, to, to_count,
                                                                                  to_type, comm))

                                                                    int MPI_Alltoallv(
                                                                        const void
                                                                            *from,
                                                                        const int
                                                                            counts[],
                                                                        const int
                                                                            starts[],
                                                                        MPI_Datatype type, void *to,
                                                                        const int to_counts[], const int to_starts[],
                                                                        MPI_Datatype to_type,
                                                                        MPI_Comm
                                                                            comm) COUNTED(PSD_MPI_ALLTOALL,
                                                                                          Bytes(
                                                                                              Sum(comm, counts), type),
                                                                                          PMPI_Alltoallv(
                                                                                              from, counts, starts,
                                                                                              type, to, to_counts,
                                                                                              to_starts, to_type, comm))

                                                                        int MPI_Scan(const void *from, void *to,
                                                                                     int count,
                                                                                     MPI_Datatype type, MPI_Op op,
                                                                                     MPI_Comm comm)
                                                                            COUNTED(
                                                                                PSD_MPI_SCAN, Bytes(count, type),
                                                                                PMPI_Scan(from, to, count, type, op,
                                                                                          comm))

                                                                                int MPI_Exscan(
                                                                                    const void
                                                                                        *from,
                                                                                    void *to, int count,
                                                                                    MPI_Datatype type,
                                                                                    MPI_Op op,
                                                                                    MPI_Comm comm)
                                                                                    COUNTED(
                                                                                        PSD_MPI_SCAN,
                                                                                        Bytes(count, type),
                                                                                        PMPI_Exscan(
                                                                                            from, to, count, type, op,
                                                                                            comm))

                                                                                        int MPI_Barrier(MPI_Comm comm)
                                                                                            COUNTED(
                                                                                                PSD_MPI_BARRIER, 0,
                                                                                                PMPI_Barrier(comm))

                                                                                                int MPI_Ibarrier(
                                                                                                    MPI_Comm comm,
                                                                                                    MPI_Request
                                                                                                        *request)
                                                                                                    COUNTED(
                                                                                                        PSD_MPI_BARRIER,
                                                                                                        0,
                                                                                                        PMPI_Ibarrier(
                                                                                                            comm,
                                                                                                            request))
