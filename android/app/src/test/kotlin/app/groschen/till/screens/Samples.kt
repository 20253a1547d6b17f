package app.groschen.till.screens

import app.groschen.view.Alarm
import app.groschen.view.Balance
import app.groschen.view.Blocked
import app.groschen.view.CartStrip
import app.groschen.view.Done
import app.groschen.view.DoneKind
import app.groschen.view.Frame
import app.groschen.view.Hold
import app.groschen.view.Language
import app.groschen.view.LastSale
import app.groschen.view.Line
import app.groschen.view.Notice
import app.groschen.view.OrderKind
import app.groschen.view.OrderRow
import app.groschen.view.Page
import app.groschen.view.Pill
import app.groschen.view.PillState
import app.groschen.view.Purpose
import app.groschen.view.SalePage
import app.groschen.view.Theme
import app.groschen.view.Tile
import app.groschen.view.Tip
import app.groschen.view.TipOffer
import app.groschen.view.Units
import app.groschen.view.View

/** A Saturday night at the bar: what the pictures and the tests of screens are made of. */
object Samples {
    /** 2026-07-18, 21:14:03 in Berlin. */
    const val NOW_MS = 1_784_402_043_000L
    const val MINUTE_MS = 60_000L

    val online = Pill(PillState.ONLINE, 0, null)
    val offline = Pill(PillState.OFFLINE, 12, NOW_MS - 4 * MINUTE_MS)
    val attention = Pill(PillState.ATTENTION, 212, NOW_MS - 65 * MINUTE_MS)

    fun frame(
        pill: Pill = online,
        alarms: List<Alarm> = emptyList(),
        training: Boolean = false,
        canGoBack: Boolean = false,
        cashier: String? = "Lena Brandt",
    ) = Frame(
        pill = pill,
        language = Language.GERMAN,
        theme = Theme.DAY,
        training = training,
        till = "Hauptbar 3",
        cashier = cashier,
        event = "Sommerfest am See",
        timeZone = "Europe/Berlin",
        nowMs = NOW_MS,
        alarms = alarms,
        canGoBack = canGoBack,
        stayOn = true,
        calm = false,
        carried = 0,
    )

    fun view(page: Page, notice: Notice = Notice.None, frame: Frame = frame(canGoBack = page !is Page.Sale && page !is Page.Home)) =
        View(1, frame, page, notice)

    fun tile(article: Long, name: String, price: Long?, count: Int = 0, minAge: Int = 0, deposit: Long = 200) =
        Tile(article, name, price, deposit, name.take(1), (article % 8).toInt(), count, minAge, false)

    private val goods = listOf(
        tile(1, "Pils 0,4 l", 450, minAge = 16),
        tile(2, "Weizen 0,5 l", 520, minAge = 16),
        tile(3, "Radler 0,4 l", 450, minAge = 16),
        tile(4, "Apfelschorle 0,4 l", 350),
        tile(5, "Wasser", 250),
        tile(6, "Cola", 350),
        tile(7, "Wodka-Mate", 850, minAge = 18),
        tile(8, "Rotweinschorle 0,25 l", 480, minAge = 16),
        tile(9, "Kaffee", 280, deposit = 0),
        tile(10, "Spende", null, deposit = 0),
    )

    val deposits = listOf(tile(90, "Becher", -200, deposit = 0), tile(91, "Krug", -500, deposit = 0))

    fun tiles(counts: Map<Long, Int> = emptyMap(), of: List<Tile> = goods): List<Tile> =
        of.map { it.copy(count = counts[it.article] ?: 0) }

    fun line(article: Long, name: String, quantity: Int, total: Long?, deposit: Long = 0) = Line(article, name, quantity, total, deposit)

    val lines = listOf(
        line(1, "Pils 0,4 l", 2, 1_300, 400),
        line(7, "Wodka-Mate", 1, 1_050, 200),
        line(90, "Becher", -1, -200),
    )

    val cupsBack = listOf(line(90, "Becher", -2, -400))

    val tip = line(310, "Trinkgeld", 1, 50)

    /** On a cart of 21.50. */
    fun tips(given: Long) = Tip(given, listOf(TipOffer(50, 2_200), TipOffer(100, null), TipOffer(200, null)))

    fun strip(
        total: Long = 2_150,
        lines: List<Line> = Samples.lines,
        changeable: Boolean = true,
        cash: Boolean = false,
        card: Boolean = false,
        useVouchers: Boolean? = null,
        canSplit: Boolean = true,
    ) = CartStrip(Purpose.SALE, 4, total, 400, lines, useVouchers, changeable, canSplit, cash, card)

    fun sale(
        cart: CartStrip? = null,
        counts: Map<Long, Int> = emptyMap(),
        hold: Hold = if (cart == null) Hold.BALANCE else Hold.PAYS,
        last: OrderRow? = null,
        sameAgain: Long? = null,
        back: Map<Long, Int> = emptyMap(),
    ) = SalePage(tiles(counts), 2, tiles(back, deposits), cart, hold, sameAgain, last, null, false)

    val emptySale = sale()
    val cartSale = sale(strip(), mapOf(1L to 2, 7L to 1), back = mapOf(90L to 1))

    fun order(
        total: Long = 850,
        kind: OrderKind = OrderKind.SALE,
        minutesAgo: Long = 1,
        sent: Boolean = true,
        takenBack: Boolean = false,
        cancellable: Boolean = true,
        order: String = "o-$total-$minutesAgo",
    ) = OrderRow(order, kind, total, NOW_MS - minutesAgo * MINUTE_MS, "1617", sent, takenBack, cancellable)

    fun done(
        kind: DoneKind = DoneKind.Paid,
        total: Long = 850,
        left: Long? = 1_200,
        asOf: Long? = null,
        cupsOut: Int = 0,
        cupsBack: Int = 0,
        change: Long? = null,
        settled: Long? = null,
        owed: Long? = null,
        vouchers: List<Units> = emptyList(),
        vouchersLeft: List<Units> = emptyList(),
        canUndo: Boolean = true,
        canCorrect: Boolean = true,
        receipt: String? = "o-1",
        band: String? = "1617",
    ) = Done(kind, total, band, left, asOf, settled, owed, vouchers, vouchersLeft, cupsOut, cupsBack, change, NOW_MS, canUndo, canCorrect, receipt)

    fun balance(
        money: Long? = 1_250,
        asOf: Long? = null,
        owed: Long = 0,
        units: List<Units> = emptyList(),
        blocked: Blocked? = null,
        lastSale: LastSale? = null,
    ) = Balance("1617", money, asOf, owed, units, blocked, lastSale)
}
