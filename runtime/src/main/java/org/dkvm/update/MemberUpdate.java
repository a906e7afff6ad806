// SPDX-License-Identifier: Apache-2.0
package org.dkvm.update;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.bundle.plan.MemberPlan;
import org.dkvm.bundle.sandbox.MemberSpec;
import org.dkvm.bundle.sandbox.SandboxSpec;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.core.SandboxPaths;
import org.dkvm.json.Json;
import org.dkvm.linux.AtomicFile;
import org.dkvm.linux.Program;
import org.dkvm.vm.VmPlace;

/**
 * Other limits for one of the containers of a pod's VM: its plan gets them, the monitor reads that and makes the guest's control group, and the VM where that is too small, fit; then runc changes
 * the thin sandbox. Where either fails, all is as it was.
 */
final class MemberUpdate {
    private MemberUpdate() {}

    static void run(Path bundle, JsonObject resources, Update.Runc runc) throws DkvmException {
        Path own = bundle.resolve(SandboxSpec.PLAN_FILE);
        MemberPlan before = MemberPlan.fromJson(Json.readObject(own));
        MemberPlan wanted = MemberSpec.updated(before, resources);
        resources.remove("pids");
        MemberSpec.shrink(resources);
        Path file = bundle.resolve(Update.RESOURCES_FILE);
        AtomicFile.replace(file, Json.write(resources));
        Path shared = VmPlace.plan(new ContainerId(before.container().id()), before.number());
        change(shared, wanted, before, runc);
        Program.Result result = runc.update(file);
        if (result.code() != 0) {
            change(shared, before, before, runc);
            throw Update.failure(result);
        }
        AtomicFile.replacePrivate(own, Json.write(wanted.toJson()));
    }

    private static void change(Path shared, MemberPlan to, MemberPlan back, Update.Runc runc) throws DkvmException {
        AtomicFile.replacePrivate(shared, Json.write(to.toJson()));
        Program.Result result = runc.exec(readAgain(to.number()));
        if (result.code() != 0) {
            AtomicFile.replacePrivate(shared, Json.write(back.toJson()));
            // What was changed before something failed.
            runc.exec(readAgain(back.number()));
            throw Update.failure(result);
        }
    }

    /** The command that has the monitor read the plan once more: no limit of the VM's changes. */
    private static List<String> readAgain(int member) {
        return List.of(SandboxPaths.PACKAGE + "/dkvm-exec", "--container", String.valueOf(member), "--update", "0:0:0");
    }
}
