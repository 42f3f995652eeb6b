/*
   Signals: those that ask a run to end are noted, to be acted upon between two iterations; those of a crash, and others
   that end a process, end it without leaving temporary files.

   A launcher may deliver a signal to any of the ranks. Each notes its own; the loop reduces what was noted (admm/stop.c).
*/
#define _GNU_SOURCE /* sigaction */
#include "base.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t noted;
static PetscBool caught;

static void Handle(int number, void (*handler)(int), int flags)
{
  struct sigaction action;

  memset(&action, 0, sizeof(action));
  action.sa_handler = handler;
  action.sa_flags = flags;
  (void)sigemptyset(&action.sa_mask);
  (void)sigaction(number, &action, NULL);
}

static void Note(int number)
{
  noted = number;
}

/* The signal, raised again, ends the process by its default: the handler is gone. */
static void EndInOrder(int number)
{
  PsdFileAbandonAll();
  (void)raise(number);
}

static void NoteOnce(int number)
{
  Note(number);
  Handle(number, EndInOrder, (int)SA_RESETHAND);
}

void PsdSignalsCatch(void)
{
  Handle(SIGTERM, Note, SA_RESTART);
  Handle(SIGUSR1, Note, SA_RESTART);
  Handle(SIGINT, NoteOnce, SA_RESTART);
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

/* Only what may be called when memory is in disorder. */
static void EndAtOnce(int number)
{
  const char *words = "a signal\n";

  for (size_t k = 0; k < sizeof(faults) / sizeof(faults[0]); k++)
    if (faults[k].number == number) words = faults[k].words;
  const ssize_t first = write(STDERR_FILENO, fault_line, strlen(fault_line));
  const ssize_t second = write(STDERR_FILENO, words, strlen(words));
  (void)first, (void)second;
  EndInOrder(number);
}

/* ---------------------------------------------------------------- what ends a process by default */

/* Those that do not, and those that are no business of a handler. */
static PetscBool EndsByDefault(int number)
{
  static const int others[] = {SIGCHLD, SIGCONT, SIGURG,  SIGWINCH, SIGTSTP,
                               SIGTTIN, SIGTTOU, SIGKILL, SIGSTOP,  SIGXFSZ};
  struct sigaction now;

  for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
    if (others[k] == number) return PETSC_FALSE;
  return (PetscBool)(!sigaction(number, NULL, &now) && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL);
}

void PsdSignalsSetUp(int rank)
{
  snprintf(fault_line, sizeof(fault_line), "psdnet: defect: rank %d was ended by ", rank);
  for (size_t k = 0; k < sizeof(faults) / sizeof(faults[0]); k++)
    Handle(faults[k].number, EndAtOnce, (int)SA_RESETHAND);
  for (int number = 1; number <= SIGRTMAX; number++)
    if (EndsByDefault(number)) Handle(number, EndInOrder, (int)SA_RESETHAND);
  Handle(SIGXFSZ, SIG_IGN, 0);
}
