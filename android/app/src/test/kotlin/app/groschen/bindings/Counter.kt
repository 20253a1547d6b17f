package app.groschen.bindings

import app.groschen.core.HoldOutcome
import app.groschen.view.Done
import app.groschen.view.DoneKind
import app.groschen.view.Method
import app.groschen.view.Notice
import app.groschen.view.Page
import app.groschen.view.PillState
import app.groschen.view.Place
import app.groschen.view.Refusal
import app.groschen.view.Touch
import app.groschen.view.View
import org.junit.Assert.assertEquals

/** Ids of wristbands, tills and articles of the sample festival. */
object Sample {
    const val GUEST = "049e3779b1910a"
    const val BAR = 201
    const val BAR_CREW = "04ea8e8bf9ac79"
    const val DESK = 1101
    const val DESK_CREW = "0425965e3d30b5"

    const val PILS = 101L
    const val CUP = 1L

    /** A Pils with its cup, in cents. */
    const val PILS_PRICE = 650L

    /** Shifts that begin at a bar and a desk, each with a receipt of its own. */
    const val SHIFTS = 2
}

/** Makes a new phone the terminal of a till, with somebody of the crew at work. */
fun TestPhone.become(festival: Festival, till: Int, crew: String) {
    watcher.await("registration") { it.page is Page.Register }
    terminal.touch(Touch.Scanned(festival.code(till)))
    watcher.await("the login page of till $till") { it.page is Page.Login }
    hold(band(Sample.GUEST))
    watcher.await("a guest's wristband to be refused") { (it.notice as? Notice.Refused)?.refusal == Refusal.NotStaff }
    hold(band(crew))
    watcher.await("the check of the shift") { it.page is Page.ShiftCheck }
    terminal.touch(Touch.BeginShift)
    watcher.await("the counter") { it.page is Page.Sale || it.page is Page.Home }
}

/** Puts cash onto a guest's wristband, at a desk. */
fun TestPhone.topUp(cents: Long) {
    terminal.touch(Touch.Open(Place.TOP_UP))
    terminal.touch(Touch.Preset(cents))
    terminal.touch(Touch.TopUp(Method.CASH))
    watcher.await("the top-up to wait for its wristband") { (it.page as? Page.TopUp)?.v1?.open?.amount == cents }
    hold(band(Sample.GUEST))
    watcher.await("the money to be on the wristband") { done(it)?.kind is DoneKind.ToppedUp }
}

/** Puts beers into the cart. */
fun TestPhone.fill(pieces: Int) {
    terminal.touch(Touch.Pieces(Sample.PILS, pieces))
    watcher.await("$pieces beers in the cart") { total(it) == Sample.PILS_PRICE * pieces }
}

/** Sells beer to the guest: touches and one hold, as at the counter. */
fun TestPhone.sell(pieces: Int, left: Long) {
    fill(pieces)
    assertEquals(HoldOutcome.ANSWERED, hold(band(Sample.GUEST)))
    val done = requireNotNull(done(watcher.await("the sale to be paid with $left cents left") { done(it)?.left == left }))
    assertEquals(DoneKind.Paid, done.kind)
    assertEquals(Sample.PILS_PRICE * pieces, done.total)
}

/** The cable is pulled, and the phone knows it. */
fun TestPhone.losesItsNetwork(festival: Festival) {
    festival.cable.pull()
    watcher.await("the phone to notice") { it.frame.pill.state == PillState.OFFLINE }
}

fun TestPhone.allSent() = watcher.await("the server to have everything") { it.frame.pill.state == PillState.ONLINE }

fun done(view: View): Done? = (view.notice as? Notice.Done)?.v1

fun total(view: View): Long? = (view.page as? Page.Sale)?.v1?.cart?.total
