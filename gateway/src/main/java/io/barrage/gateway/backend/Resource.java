package io.barrage.gateway.backend;

import java.util.List;

/** Some paths of the backend's door, and what answers there. Thread-safe. */
public interface Resource {
    /** Its routes; the same each time. */
    List<Route> routes();
}
