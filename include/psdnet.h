/*
   libpsdnet: two-layer convolutional networks with quadratic activation, trained to a certified global optimum.

     data -> patches -> problem -> solver -> network (+ certificate)

   Each is an opaque handle with Create / SetFromOptions / SetUp / Destroy. A program that trains on arrays of its own
   is tests/examples/train_arrays.c. A plan (psdplan.h) says beforehand what a run will take. What holds of all
   functions is not said again at each:

   - They return 0; or PSD_ERR_INPUT, alike on all ranks, when the input is at fault, and PsdErrorMessage() says why;
     or an error code of PETSc, with PETSc's traceback, when the program is.
   - "Collective": all ranks of the object's communicator call it; "logically collective": all with the same values.
     Any communicator will do, once PsdInitialize was called on all of PETSC_COMM_WORLD.
   - Arrays are row-major. What is borrowed belongs to the object, must not be changed, and is valid until the object
     changes.
   - Options are those of PETSc's database (command line, -options_file, PETSC_OPTIONS), read strictly: a value of the
     wrong kind or out of range is PSD_ERR_INPUT. A SetFromOptions function leaves what no option mentions as it is.
   - C: score functions, 1 with two classes, else the number of classes. G: pooling regions. f: numbers in a patch.
     D = G (f+1)(f+2)/2.
*/
#ifndef PSDNET_H
#define PSDNET_H

#include <psdsolver.h>
#include <psdbase.h>
#include <psdcertificate.h>
#include <psddata.h>
#include <psdmaps.h>
#include <psdnetwork.h>
#include <psdpatches.h>
#include <psdplan.h>
#include <psdproblem.h>
#include <psdprojection.h>
#include <psdsys.h>

#endif
