/*
   The sizes of the pieces that samples are worked on in. What is allocated follows from them, and so does what a run is
   foreseen to need (sample_costs.c).
*/
#ifndef PSD_LIMITS_PRIVATE_H
#define PSD_LIMITS_PRIVATE_H

/* Rows a product of a chunk of features with itself needs to run at the speed of BLAS-3, and memory a chunk may
   take. */
#define PSD_CHUNK_ROWS 1024
#define PSD_CHUNK_BYTES ((size_t)64 << 20)

/* Rows of a chunk that are made in double precision at a time, where its products are in single precision: even, as images
   have two with their mirror images. */
#define PSD_PART_ROWS 64

/* Rows of a chunk that a certificate goes through at a time: a multiple of the samples in one of its products. */
#define PSD_PASS_ROWS 256

/*
   Chunks are cut where 24ths of all images end, and those where they are too long. Ranks whose number divides 24 hold
   whole 24ths, so that the same chunks arise on any such number of ranks: see PsdSum.
*/
#define PSD_SAMPLE_PARTS 24

/* Up to this order A'A is summed in twice the working precision, chunk by chunk: two more arrays of D x D and an
   addition of them a chunk, a fifth of the time of the product at this order and less below it. */
#define PSD_EXACT_UP_TO 2000

/* Columns of A'A in one product, where it is made by tiles: wide enough for BLAS-3, narrow enough that little is done
   above the diagonal. */
#define PSD_GRAM_GROUP 512

/* Numbers of a message between groups that sum A'A, and bytes of one to the root: large enough for bandwidth, small beside the
   matrix. */
#define PSD_GRAM_MESSAGE ((size_t)1 << 18)
#define PSD_GRAM_PIECE ((size_t)1 << 22)

/* Patches in one product: enough for BLAS-3, small enough that operands stay in cache. */
#define PSD_ROWS_PATCHES 1024

/* Numbers of a message that sums several pairs' parts of A'nu. A pair has one owner: a sum of one pair is a tree or a
   chain of ranks that all wait for it, and one of all owners' pairs keeps every rank busy. */
#define PSD_ROWS_MESSAGE 4194304

#endif
