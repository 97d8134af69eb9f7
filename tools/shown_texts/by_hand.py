"""Places that show a text which is made elsewhere, in a way that is not followed: (place, expression) -> what makes the
text. That is found as a sentence of its own."""

from __future__ import annotations

PASSED_ON = {
    (
        "gprov.apps.unit.operator.dialog_operator.DialogOperator._run",
        "dialog.view",
    ): "the next view of a dialog, with the texts of the first",
    ("gprov.adapters.linux.lcd.start_display.LcdStartDisplay._work", "texts.starting"): "start_texts",
    (
        "gprov.adapters.linux.lcd.start_display.LcdStartDisplay._work",
        "texts.up if was_ended else texts.silent",
    ): "start_texts",
    (
        "gprov.adapters.linux.net.lease_keeper.LeaseKeeper._follow",
        "self._configurator.carry_out(outcome.actions)",
    ): "sentences of errors of the configurator",
    (
        "gprov.apps.erase.machine_data.erase_machine_data",
        "_text(result)",
    ): "OptionResult of variable_removal and tpm_clearing",
    ("gprov.apps.erase.recorder.EraseRecorder.shown", "name"): "task and device of an erase",
    (
        "gprov.apps.erase.recorder.EraseRecorder.shown",
        "progress_text(name, done, total, estimate)",
    ): "task, share, rate and time left",
    ("gprov.apps.init.boot_menu.run_menu", "request.items"): "Item",
    ("gprov.apps.init.boot_menu.run_menu", "request.question"): "Item, and CONSEQUENCE",
    ("gprov.apps.init.boot_menu.run_menu", "request.title"): "TITLE",
    (
        "gprov.apps.init.emergency_search.EmergencySearch._choose",
        "files",
    ): "no text: choose of emergency files has the name of the operator's method",
    ("gprov.apps.init.emergency_search.EmergencySearch._choose", "self._policy"): "no text, as above",
    ("gprov.apps.init.flow.Boot.__init__", "line"): "notes of ArgumentReader and parse_root",
    ("gprov.apps.init.flow.Boot._open_shell", "ended"): "RecoveryShell.run",
    ("gprov.apps.init.flow.Boot.run", "error"): "an error, whose sentence is found where it is made",
    ("gprov.apps.mfg.data.fetch_manuf", "f'{source}: {warning}'"): "problems that the parser of manufData.json notes",
    ("gprov.apps.mfg.flow.Provisioning._run", "f'{unit.platform.code_name}: {unused}'"): "unused_values",
    ("gprov.apps.mfg.hardware_main.run_tool", "f'  {line}'"): "details of errors",
    (
        "gprov.apps.mfg.main.provision",
        "'\\n'.join((f'{error}. {pause}', *_differences(error)))",
    ): "the error, the pause, and what differs",
    (
        "gprov.apps.restore.facts._extra_arguments",
        "f'{without}: {problem}'",
    ): "the texts in `choices` of the same function",
    ("gprov.apps.restore.image_choice._ask", "''"): "a spacer",
    ("gprov.apps.restore.image_choice._ask", "offered.values()"): "names of images",
    (
        "gprov.apps.restore.installation.ImageInstaller.install",
        "preference",
    ): "no text: choose of images has the name of the operator's method",
    ("gprov.apps.restore.installation.ImageInstaller.install", "self._room(job)"): "no text, as above",
    (
        "gprov.apps.restore.restore_backoff.RestoreBackoff.begin",
        "self._series",
    ): "the texts that are assigned in the same function",
    ("gprov.apps.unit.execution.burnin.runner.BurnInRunner.run", "text"): "the title of a phase, in the same function",
    (
        "gprov.apps.unit.operator.dialog_operator.DialogOperator.show_key_window",
        "KeyWindowView(text, seconds)",
    ): "what the callers of the method give",
    ("gprov.apps.unit.operator.shown_views.ShownViews._end_dialog", "''"): "an empty display",
    ("gprov.apps.unit.recovery.image_check.ImageCheck.check", "f'{path}: {note}'"): "notes of tar_demands",
    (
        "gprov.apps.unit.recovery.image_trust.ImageTrust.admit_files",
        "f'{path}: {verdict.warning}'",
    ): "verdicts of gprov.domain.trust.policy",
    (
        "gprov.apps.unit.reporting.display_sink.DisplaySink._show_message",
        "displayed_text(event.body)",
    ): "messages, warnings and errors of the event bus",
    ("gprov.apps.update.consent.ServerQuestions.answer", "action"): "no text: an id of the server",
    ("gprov.domain.boot.boot_menu.prompt", "f'{item.value}?'"): "Item",
    ("gprov.domain.boot.boot_menu.prompt", "item.value if item else ''"): "Item",
    ("gprov.domain.disk.targets.choose_targets", "line.describe()"): "Candidate.describe",
    ("gprov.domain.erase.report_text.checked_report", "message"): "report_claims",
    ("gprov.domain.factory.fields.Text.check", "self.rule"): "rules that fields are declared with",
    ("gprov.domain.formats.disk.ddf.read_ddf", "problem"): "functions of the same module",
    ("gprov.domain.image.manifest._name", "one.message"): "problems of parse_image_name",
    ("gprov.domain.mfg.compare._cpus", "repr(spec.model)"): "a value of the specification",
    ("gprov.domain.mfg.compare._cpus", "str(spec.sockets)"): "a value of the specification",
    ("gprov.domain.mfg.compare._dmi", "repr(expected)"): "a value of the specification",
    ("gprov.domain.mfg.compare._firmware", "repr(expected)"): "a value of the specification",
    ("gprov.domain.mfg.compare._nics", "str(spec.total_nics)"): "a value of the specification",
    ("gprov.domain.mfg.compare._serial", "repr(pattern)"): "a value of the specification",
    ("gprov.domain.mfg.difference.read_differences", "entry.text('Required')"): "a value of a report",
    ("gprov.domain.mfg.diskmatch.compare_disks", "spec.recovery.describe()"): "a value of the specification",
    ("gprov.domain.mfg.manuf._check_places", "message"): "destination_problem",
    ("gprov.domain.mfg.stepread._note", "message"): "problems of parse_command",
    ("gprov.domain.plan.preconditions._kernel_problems", "str(problem)"): "problems of parse_bzimage",
    ("gprov.domain.plan.preconditions.image_problems", "str(problem)"): "problems of check_login",
    (
        "gprov.domain.update.config._windows",
        "error.problems[0].message",
    ): "problems of parse_window",
    ("gprov.domain.trust.chain._signature", "problem.message"): "problems of parse_signature",
    ("gprov.domain.trust.chain._signed_statement", "problem.message"): "problems of parse_statement",
    ("gprov.domain.trust.chain.check_chain", "text"): "_order_problems",
}
