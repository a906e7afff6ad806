// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.Locale;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.core.DkvmException;
import org.dkvm.json.PrettyJson;
import org.dkvm.linux.HostProcessors;

/** {@code dkvm config}: what holds on this host, from /etc/dkvm/dkvm.json and the defaults, in that file's own form. */
final class ConfigCommand {
    private ConfigCommand() {}

    /** The settings as lines of text. */
    static String text() throws DkvmException {
        HostConfig config = HostConfig.read(HostConfig.FILE);
        JsonObject json = new JsonObject();
        json.addProperty("accel", config.vms().acceleration().name().toLowerCase(Locale.ROOT));
        json.addProperty("kernel", config.vms().kernel());
        json.addProperty("memory", Long.toString(config.vms().memory().bytes()));
        json.addProperty("cpus", config.vms().cpus() > 0 ? config.vms().cpus() : HostProcessors.count());
        JsonArray allow = new JsonArray();
        config.allow().forEach(allow::add);
        json.add("allow", allow);
        json.addProperty("logs", config.logs().vms());
        json.addProperty("logs-size", Long.toString(config.logs().size().bytes()));
        json.addProperty("runc", InnerRuntime.find().orElse(""));
        if (config.overhead().kvm().equals(config.overhead().tcg())) {
            json.addProperty("overhead", Long.toString(config.overhead().kvm().bytes()));
        }
        json.addProperty("kvm-probe-seconds", config.patience().kvmProbe().toSeconds());
        json.addProperty("start-seconds", config.patience().start().toSeconds());
        json.addProperty("template", config.vms().template().name().toLowerCase(Locale.ROOT));
        json.addProperty("vhost-net", config.vhostNet().name().toLowerCase(Locale.ROOT));
        return PrettyJson.write(json, "");
    }
}
