/*
   Arrays between ranks of any length: MPI counts in an int, so that what is longer goes in several messages. Both sides
   cut at the same places, as they know the length alike.
*/
#include "base.h"

#ifndef PSD_MESSAGE_LIMIT
#define PSD_MESSAGE_LIMIT 1073741824
#endif
size_t PsdMessageLimit = PSD_MESSAGE_LIMIT;

/* The next piece of an array of which `done` elements are dealt with. */
static PetscMPIInt Piece(size_t count, size_t done)
{
  return (PetscMPIInt)PetscMin(PsdMessageLimit, count - done);
}

static PetscErrorCode Place(void *array, size_t done, MPI_Datatype type, void **place)
{
  PetscFunctionBeginUser;
  PetscMPIInt size;
  PetscCallMPI(MPI_Type_size(type, &size));
  *place = (char *)array + done * (size_t)size;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSendArray(MPI_Comm comm, PetscMPIInt to, PetscMPIInt tag, MPI_Datatype type, size_t count,
                            const void *array)
{
  PetscFunctionBeginUser;
  void *place;
  for (size_t done = 0; done < count; done += (size_t)Piece(count, done)) {
    PetscCall(Place((void *)array, done, type, &place));
    PetscCallMPI(MPI_Send(place, Piece(count, done), type, to, tag, comm));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdReceiveArray(MPI_Comm comm, PetscMPIInt from, PetscMPIInt tag, MPI_Datatype type, size_t count,
                               void *array)
{
  PetscFunctionBeginUser;
  void *place;
  for (size_t done = 0; done < count; done += (size_t)Piece(count, done)) {
    PetscCall(Place(array, done, type, &place));
    PetscCallMPI(MPI_Recv(place, Piece(count, done), type, from, tag, comm, MPI_STATUS_IGNORE));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPassArray(MPI_Comm comm, MPI_Datatype type, PetscMPIInt to, size_t sent_count, const void *sent,
                            PetscMPIInt from, size_t count, void *array)
{
  PetscFunctionBeginUser;
  void *out, *in;
  for (size_t given = 0, done = 0; given < sent_count || done < count;) {
    const PetscMPIInt out_piece = Piece(sent_count, given), in_piece = Piece(count, done);
    PetscCall(Place((void *)sent, given, type, &out));
    PetscCall(Place(array, done, type, &in));
    PetscCallMPI(MPI_Sendrecv(out, out_piece, type, out_piece ? to : MPI_PROC_NULL, 0, in, in_piece, type,
                              in_piece ? from : MPI_PROC_NULL, 0, comm, MPI_STATUS_IGNORE));
    given += (size_t)out_piece;
    done += (size_t)in_piece;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBroadcastArrayFrom(MPI_Comm comm, PetscMPIInt root, MPI_Datatype type, size_t count, void *array)
{
  PetscFunctionBeginUser;
  void *place;
  for (size_t done = 0; done < count; done += (size_t)Piece(count, done)) {
    PetscCall(Place(array, done, type, &place));
    PetscCallMPI(MPI_Bcast(place, Piece(count, done), type, root, comm));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBroadcastArray(MPI_Comm comm, MPI_Datatype type, size_t count, void *array)
{
  PetscFunctionBeginUser;
  PetscCall(PsdBroadcastArrayFrom(comm, 0, type, count, array));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSumArray(MPI_Comm comm, MPI_Datatype type, size_t count, void *array)
{
  PetscFunctionBeginUser;
  void *place;
  for (size_t done = 0; done < count; done += (size_t)Piece(count, done)) {
    PetscCall(Place(array, done, type, &place));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, place, Piece(count, done), type, MPI_SUM, comm));
  }
  PetscFunctionReturn(0);
}
