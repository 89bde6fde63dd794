"""Fault points: the stand-in fails, hangs, is slow or dies where it is told to."""

import json
import os
import signal
import subprocess
import time
import unittest

from tests.bench import SITES, BenchTest, Server, bench, environment, new_site, put_user, start

FAULTS = os.path.join(SITES, ".standin-faults.json")


class Faults(BenchTest):
    def set(self, **faults):
        with open(FAULTS, "w") as file:
            json.dump({name.replace("__", ":").replace("_", "-"): fault for name, fault in faults.items()}, file)
        self.addCleanup(lambda: os.path.exists(FAULTS) and os.remove(FAULTS))

    def test_in_the_file_count_down(self):
        self.set(new_site__start={"do": "fail", "times": 1, "message": "as it was told"})
        self.assert_fails(new_site()[2], "as it was told")
        self.assert_ok(new_site()[2])

    def test_may_be_for_one_site_only(self):
        self.set(new_site__start={"do": "fail", "site": "other.localhost"})
        self.assert_ok(new_site()[2])

    def test_are_slow_or_hang_until_they_are_ended(self):
        begun = time.monotonic()
        self.assert_ok(new_site(faults={"new-site:end": {"do": "slow", "seconds": 1}})[2])
        self.assertGreater(time.monotonic() - begun, 1)
        hung = start("version", faults={})
        self.assertEqual(hung.wait(20), 0)
        hung.stdout.close()
        site = new_site()[0]
        hung = start("--site", site, "migrate", faults={"migrate:start": {"do": "hang"}})
        with self.assertRaises(subprocess.TimeoutExpired):
            hung.wait(2)
        os.kill(hung.pid, signal.SIGKILL)
        hung.wait(20)
        hung.stdout.close()

    def test_kill_as_a_node_that_is_lost_does(self):
        self.assertEqual(new_site(faults={"new-site:after-db": {"do": "kill"}})[2].returncode, -signal.SIGKILL)

    def test_over_http_fail_before_or_after_the_work(self):
        server = Server()
        self.addCleanup(server.stop)
        site = new_site()[0]
        token = put_user(site, "operator@saas.local", "key-1", "secret-1")
        notes = {"path": "/api/resource/Note", "method": "POST", "times": 1}
        self.set(http__request={"do": "fail", **notes})
        self.assertEqual(server.ping(site), 200)
        self.assertEqual(server.call(site, "/api/resource/Note", "POST", data={"title": "a"}, token=token).status, 500)
        self.assertEqual(server.call(site, "/api/resource/Note/a", token=token).status, 404)
        self.set(http__response={"do": "fail", **notes})
        self.assertEqual(server.call(site, "/api/resource/Note", "POST", data={"title": "b"}, token=token).status, 500)
        self.assertEqual(server.call(site, "/api/resource/Note/b", token=token).status, 200)

    def test_with_a_word_that_is_none_say_so(self):
        self.assert_fails(bench("--site", new_site()[0], "migrate", faults={"migrate:start": {"do": "x"}}), "`do` is fail")


class TheRelease(BenchTest):
    def test_is_taken_from_the_bench_where_no_variable_names_it(self):
        path = os.path.join(SITES, ".standin-release")
        with open(path, "w") as file:
            file.write("16\n")
        self.addCleanup(os.remove, path)
        command = [os.path.join(os.environ["BENCH"], "env/bin/python"), "-c", "import frappe; print(frappe.__version__)"]
        nothing = {name: value for name, value in environment().items() if not name.startswith("STANDIN_")}
        told = subprocess.run(command, cwd=SITES, env=nothing, capture_output=True, text=True, check=True)
        self.assertEqual(told.stdout, "16.0.0-dev\n")

    def test_never_hides_that_it_is_a_stand_in(self):
        command = [os.path.join(os.environ["BENCH"], "env/bin/python"), "-c", "import frappe; print(frappe.__doc__)"]
        told = subprocess.run(command, cwd=SITES, env=environment(), capture_output=True, text=True, check=True)
        self.assertIn("stand-in", told.stdout)


if __name__ == "__main__":
    unittest.main()
