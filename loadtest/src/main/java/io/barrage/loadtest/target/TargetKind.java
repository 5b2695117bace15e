package io.barrage.loadtest.target;

import java.net.InetSocketAddress;

/** The kinds of gateway that the instrument can drive. Immutable. */
public enum TargetKind {
    BARRAGE("barrage"),
    NETTY_GROUP("netty-group"),
    NCHAN("nchan");

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
            case NCHAN -> new NchanTarget(clients, backend);
        };
    }

    /** So that the command line takes and lists the label. */
    @Override
    public String toString() {
        return label;
    }
}
