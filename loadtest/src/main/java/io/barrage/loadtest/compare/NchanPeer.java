package io.barrage.loadtest.compare;

import io.barrage.loadtest.target.TargetKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * nginx with the Nchan module and one worker, by the configuration in {@code peers/nchan}. Immutable.
 *
 * @param nginx the program; null if there is none
 * @param module the module's file; null if there is none
 */
record NchanPeer(@Nullable Path nginx, @Nullable Path module) implements Peer {
    private static final List<String> MODULES = List.of(
            "/usr/lib/nginx/modules/ngx_nchan_module.so",
            "/usr/lib64/nginx/modules/ngx_nchan_module.so",
            "/usr/local/nginx/modules/ngx_nchan_module.so",
            "/etc/nginx/modules/ngx_nchan_module.so");

    /** Looks where distributions put them. */
    static NchanPeer installed() {
        return new NchanPeer(
                Programs.find("nginx", "/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin"),
                Programs.firstFile(MODULES.stream()));
    }

    @Override
    public TargetKind kind() {
        return TargetKind.NCHAN;
    }

    @Override
    public Optional<String> missing() {
        if (nginx == null) {
            return Optional.of("no nginx on the PATH");
        }
        return module == null ? Optional.of("nginx is there, but no ngx_nchan_module.so") : Optional.empty();
    }

    /** The module doesn't tell its version; the package that brought it does, where there is dpkg. */
    @Override
    public String version() {
        return Programs.ask(List.of(String.valueOf(nginx), "-v")).replace("nginx version: ", "") + ", module "
                + Programs.ask(List.of("dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"));
    }

    @Override
    public boolean forks() {
        return true;
    }

    @Override
    public List<String> command(Workload workload, int clientsPort, int backendPort, Path directory)
            throws IOException {
        Path file = directory.resolve("nchan.conf");
        Files.writeString(file, configuration(clientsPort, backendPort, directory));
        return List.of(String.valueOf(nginx), "-p", directory.toString(), "-c", file.toString());
    }

    String configuration(int clientsPort, int backendPort, Path directory) throws IOException {
        return Programs.configuration("nchan/nchan.conf", clientsPort, backendPort)
                .replace("@MODULE@", String.valueOf(module))
                .replace("@DIRECTORY@", directory.toString());
    }
}
