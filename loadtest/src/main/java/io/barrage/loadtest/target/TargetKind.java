package io.barrage.loadtest.target;

import java.net.InetSocketAddress;

/** The kinds of gateway that the instrument can drive. Immutable. */
public enum TargetKind {
    BARRAGE("barrage"),
    BARRAGE_BATCH("barrage-batch"),
    BARRAGE_NDJSON("barrage-ndjson"),
    UWEBSOCKETS("uwebsockets"),
    UWEBSOCKETS_ENVELOPE("uwebsockets-envelope"),
    NCHAN("nchan"),
    CENTRIFUGO("centrifugo"),
    NATS("nats"),
    NETTY_GROUP("netty-group");

    private final String label;

    TargetKind(String label) {
        this.label = label;
    }

    /** The name on the command line and in reports. */
    public String label() {
        return label;
    }

    /** The adapter for a gateway of this kind that listens at these addresses. */
    public Target at(InetSocketAddress clients, InetSocketAddress backend) {
        return switch (this) {
            case BARRAGE, NETTY_GROUP -> new BarrageTarget(label, clients, backend);
            case BARRAGE_BATCH -> new BatchTarget(new BarrageTarget(label, clients, backend));
            case BARRAGE_NDJSON -> new NdjsonTarget(new BarrageTarget(label, clients, backend));
            case NCHAN, UWEBSOCKETS, UWEBSOCKETS_ENVELOPE -> new PlainTarget(label, clients, backend);
            case CENTRIFUGO -> new CentrifugoTarget(label, clients, backend);
            case NATS -> new NatsTarget(label, clients, backend);
        };
    }

    /** So that the command line takes and lists the label. */
    @Override
    public String toString() {
        return label;
    }
}
