package io.barrage.gateway.net;

/** Which of the system's interfaces carries the sockets. */
public enum TransportKind {
    /** Epoll where it is available, NIO elsewhere. */
    AUTO,
    /** Linux's own; refuses to start where it isn't available. */
    EPOLL,
    /** Linux's newer one, where many writes are one system call; refuses to start where it isn't available. */
    IO_URING,
    /** The JDK's, everywhere; slower. */
    NIO
}
