/*
   switch MICROSECONDS INTERFACE...: an Ethernet switch between interfaces, in which every frame stays so long; kernels do not
   always have netem, which does the same. It learns where addresses are, as switches do, and ends with the process that kills it.

   Frames pass with their virtio header, in which the kernel keeps what it left to hardware: checksums that are still to be
   computed, and segments of TCP that are still to be cut.
*/
#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { PORTS = 32, WAITING = 4096, BURST = 64, LENGTH = sizeof(struct virtio_net_hdr) + ETH_HLEN + 65536 };

typedef struct {
  double due;
  size_t length;
  unsigned char *bytes;
} Frame;

/* Frames that came in by a port, in their order; what comes when the queue is full is lost. */
typedef struct {
  int socket, learned;
  unsigned char address[ETH_ALEN];
  Frame frame[WAITING];
  size_t first, last;
} Port;

static Port port[PORTS];
static int ports;
static double delay; /* seconds */

static void Die(const char *what)
{
  perror(what);
  exit(1);
}

static double Now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void Set(int socket, int option, const void *value, socklen_t size)
{
  if (setsockopt(socket, SOL_PACKET, option, value, size)) Die("switch: setsockopt");
}

static void Open(Port *self, const char interface[])
{
  const int index = (int)if_nametoindex(interface), yes = 1;
  const struct sockaddr_ll place = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};
  const struct packet_mreq all = {.mr_ifindex = index, .mr_type = PACKET_MR_PROMISC};
  self->socket = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
  if (self->socket < 0 || !index) Die(interface);
  Set(self->socket, PACKET_VNET_HDR, &yes, sizeof(yes));
  Set(self->socket, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes));
  Set(self->socket, PACKET_ADD_MEMBERSHIP, &all, sizeof(all));
  if (bind(self->socket, (const struct sockaddr *)&place, sizeof(place))) Die("switch: bind");
}

static const unsigned char *Ethernet(const unsigned char *bytes)
{
  return bytes + sizeof(struct virtio_net_hdr);
}

static void Learn(Port *self, const unsigned char *bytes)
{
  memcpy(self->address, Ethernet(bytes) + ETH_ALEN, ETH_ALEN);
  self->learned = 1;
}

/* One frame into the queue of its port; 0 when there is none. An interface that is down has none. */
static int Receive(Port *self)
{
  static unsigned char bytes[LENGTH];
  const ssize_t length = recv(self->socket, bytes, sizeof(bytes), 0);
  Frame *frame = &self->frame[self->last % WAITING];
  if (length < (ssize_t)sizeof(struct virtio_net_hdr) + ETH_HLEN) return 0;
  if (self->last - self->first == WAITING) return 1;
  *frame = (Frame){Now() + delay, (size_t)length, malloc((size_t)length)};
  if (!frame->bytes) Die("switch");
  memcpy(frame->bytes, bytes, (size_t)length);
  Learn(self, bytes);
  self->last++;
  return 1;
}

/* The port where the frame's receiver is, or NULL. */
static const Port *Receiver(const Frame *frame)
{
  for (int k = 0; k < ports; k++)
    if (port[k].learned && !memcmp(port[k].address, Ethernet(frame->bytes), ETH_ALEN)) return &port[k];
  return NULL;
}

/* To its receiver, or to all others when that is not known. What a port does not take is lost, as on a cable that is cut. */
static void Forward(const Port *from, Frame *frame)
{
  const Port *to = Receiver(frame);
  for (int k = 0; k < ports; k++)
    if (&port[k] != from && (!to || to == &port[k]) && send(port[k].socket, frame->bytes, frame->length, 0) < 0 &&
        errno != ENETDOWN && errno != ENOBUFS && errno != EAGAIN)
      Die("switch: send");
  free(frame->bytes);
}

/* Forwards what is due. Returns when the next frame will be. */
static double ForwardDue(void)
{
  double next = Now() + 1;
  for (Port *self = port; self < port + ports; self++) {
    for (; self->first < self->last && self->frame[self->first % WAITING].due <= Now(); self->first++)
      Forward(self, &self->frame[self->first % WAITING]);
    if (self->first < self->last && self->frame[self->first % WAITING].due < next)
      next = self->frame[self->first % WAITING].due;
  }
  return next;
}

static void Wait(struct pollfd wanted[], double until)
{
  const double difference = until - Now(), left = difference > 0 ? difference : 0;
  const struct timespec time = {(time_t)left, (long)(1e9 * (left - (double)(time_t)left))};
  if (ppoll(wanted, (nfds_t)ports, &time, NULL) < 0 && errno != EINTR) Die("switch: ppoll");
}

int main(int count, char *argument[])
{
  struct pollfd wanted[PORTS];
  if (count < 4 || count > PORTS + 2) {
    fprintf(stderr, "switch: expected MICROSECONDS and 2 to %d interfaces\n", PORTS);
    return 1;
  }
  delay = 1e-6 * strtod(argument[1], NULL);
  for (ports = 0; ports < count - 2; ports++) {
    Open(&port[ports], argument[ports + 2]);
    wanted[ports] = (struct pollfd){port[ports].socket, POLLIN, 0};
  }
  for (;;) {
    Wait(wanted, ForwardDue());
    for (int k = 0; k < ports; k++)
      for (int burst = 0; wanted[k].revents && burst < BURST && Receive(&port[k]); burst++) {}
  }
}
