package app.groschen.till.words

import app.groschen.till.R
import app.groschen.till.files.Errand
import app.groschen.till.files.NoFile
import app.groschen.till.scan.NoScan
import app.groschen.till.scan.Scan
import app.groschen.till.ui.Ui
import app.groschen.view.EvacuationPage

/** Why nothing can be scanned, and what does it [instead]; null if nothing is wrong. */
fun Ui.noScan(scan: Scan, instead: Int): Said? {
    val why = (scan as? Scan.Not)?.why ?: return null
    val (what, now) = when (why) {
        NoScan.REFUSED -> R.string.scan_refused to R.string.scan_refused_now
        NoScan.BARRED -> R.string.scan_refused to R.string.scan_barred_now
        NoScan.MISSING -> R.string.scan_missing to null
        NoScan.FAILED -> R.string.scan_failed to R.string.scan_failed_now
    }
    return Said(text(what), listOfNotNull(text(instead), now?.let { text(it) }).joinToString(" "))
}

/** How many codes of another phone's series are here. */
fun Ui.have(series: EvacuationPage.Taking): String =
    if (series.count > 0) text(R.string.evacuate_have, series.have, series.count) else text(R.string.evacuate_first)

/** Which codes of it are missing; null if none is, or nobody knows yet how many there are. */
fun Ui.missing(series: EvacuationPage.Taking): String? =
    series.missing.takeIf { series.count > 0 && it.isNotEmpty() }?.let { text(R.string.evacuate_missing, it.joinToString(", ") { no -> figures.count(no.toLong()) }) }

/** What became of a file. */
fun Ui.over(over: Errand.Over): Said = when (over) {
    is Errand.Given -> Said(counted(R.plurals.file_given, over.files), text(R.string.file_given_now))
    Errand.NothingToGive -> said(R.string.file_nothing, R.string.file_nothing_now)
    is Errand.Left -> left(over)
    is Errand.KeysTaken -> Said(counted(R.plurals.keys_taken, over.batches), text(R.string.keys_taken_now))
    is Errand.Failed -> failed(over)
}

private fun Ui.left(left: Errand.Left): Said = if (left.given == 0) {
    said(R.string.file_left, R.string.file_left_now)
} else {
    said(R.string.file_left_half, R.string.file_left_half_now, left.given, left.of)
}

private fun Ui.failed(failed: Errand.Failed): Said {
    val said = when (failed.why) {
        NoFile.NO_PICKER -> said(R.string.file_no_picker, R.string.file_no_picker_now)
        NoFile.UNREADABLE -> said(R.string.file_unreadable, R.string.file_unreadable_now)
        NoFile.TOO_LARGE -> said(R.string.file_too_large, R.string.file_too_large_now)
        NoFile.UNWRITABLE -> said(R.string.file_unwritable, R.string.file_unwritable_now)
        NoFile.BUSY -> said(R.string.file_busy, R.string.file_busy_now)
        NoFile.NO_KEYS -> said(R.string.keys_none, R.string.keys_none_now)
        NoFile.NOT_TAKEN -> said(R.string.keys_not_taken, R.string.keys_not_taken_now)
    }
    return failed.reason?.let { said.copy(now = "${said.now}\n$it") } ?: said
}
