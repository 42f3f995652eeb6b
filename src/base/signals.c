/*
   Signals: those that ask a run to end are noted, to be acted upon between two iterations; those of a crash end the process.

   A launcher may deliver a signal to any of the ranks. Each notes its own; the loop reduces what was noted (admm/stop.c).
*/
#define _GNU_SOURCE /* sigaction */
#include "base.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t noted;
static PetscBool caught;

static void Note(int number)
{
  noted = number;
}

static void Handle(int number, void (*handler)(int), int flags)
{
  struct sigaction action;

  memset(&action, 0, sizeof(action));
  action.sa_handler = handler;
  action.sa_flags = flags;
  (void)sigemptyset(&action.sa_mask);
  (void)sigaction(number, &action, NULL);
}

void PsdSignalsCatch(void)
{
  Handle(SIGTERM, Note, SA_RESTART);
  Handle(SIGUSR1, Note, SA_RESTART);
  Handle(SIGINT, Note, SA_RESTART | (int)SA_RESETHAND);
  caught = PETSC_TRUE;
}

PetscBool PsdSignalsCaught(void)
{
  return caught;
}

int PsdSignalsNoted(void)
{
  return (int)noted;
}

/* ---------------------------------------------------------------- crashes */

static const struct {
  int number;
  const char *words;
} faults[] = {{SIGSEGV, "a segmentation fault\n"},
              {SIGBUS, "a bus error\n"},
              {SIGFPE, "an arithmetic error\n"},
              {SIGILL, "an illegal instruction\n"},
              {SIGABRT, "abort\n"}};

static char fault_line[64]; /* all but the words */

/* Only what may be called when memory is in disorder. The signal, raised again, ends the process by its default. */
static void EndAtOnce(int number)
{
  const char *words = "a signal\n";

  for (size_t k = 0; k < sizeof(faults) / sizeof(faults[0]); k++)
    if (faults[k].number == number) words = faults[k].words;
  const ssize_t first = write(STDERR_FILENO, fault_line, strlen(fault_line));
  const ssize_t second = write(STDERR_FILENO, words, strlen(words));
  (void)first, (void)second;
  (void)raise(number);
}

void PsdFaultsEnd(int rank)
{
  snprintf(fault_line, sizeof(fault_line), "psdnet: defect: rank %d was ended by ", rank);
  for (size_t k = 0; k < sizeof(faults) / sizeof(faults[0]); k++)
    Handle(faults[k].number, EndAtOnce, (int)SA_RESETHAND);
}
