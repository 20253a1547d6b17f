package app.groschen.till.screens

import app.groschen.till.files.Errand
import app.groschen.till.files.NoFile
import app.groschen.till.scan.NoScan
import app.groschen.till.scan.Scan
import app.groschen.till.screens.Samples.MINUTE_MS
import app.groschen.till.screens.Samples.NOW_MS
import app.groschen.till.screens.Samples.balance
import app.groschen.till.screens.Samples.done
import app.groschen.till.screens.Samples.frame
import app.groschen.till.screens.Samples.order
import app.groschen.till.screens.Samples.sale
import app.groschen.till.screens.Samples.strip
import app.groschen.till.screens.Samples.view
import app.groschen.till.ui.Beside
import app.groschen.view.Ability
import app.groschen.view.Alarm
import app.groschen.view.Balance
import app.groschen.view.BandPage
import app.groschen.view.Blocked
import app.groschen.view.Broken
import app.groschen.view.CartPage
import app.groschen.view.ChangeOffer
import app.groschen.view.Check
import app.groschen.view.CheckKind
import app.groschen.view.CheckState
import app.groschen.view.DevicePage
import app.groschen.view.DoneKind
import app.groschen.view.DrawerCount
import app.groschen.view.EnoughWithout
import app.groschen.view.EvacuationPage
import app.groschen.view.Exercise
import app.groschen.view.ExerciseKind
import app.groschen.view.ForeignCash
import app.groschen.view.ForeignCurrency
import app.groschen.view.ForeignPage
import app.groschen.view.HistoryPage
import app.groschen.view.Hold
import app.groschen.view.HomeTile
import app.groschen.view.KeyPlace
import app.groschen.view.LastSale
import app.groschen.view.LoginPage
import app.groschen.view.Method
import app.groschen.view.Network
import app.groschen.view.NetworkKind
import app.groschen.view.Notice
import app.groschen.view.OpenTopUp
import app.groschen.view.OrderKind
import app.groschen.view.OrderPage
import app.groschen.view.PadPage
import app.groschen.view.Page
import app.groschen.view.PayOutPage
import app.groschen.view.Pieces
import app.groschen.view.Pill
import app.groschen.view.PillState
import app.groschen.view.PinPad
import app.groschen.view.ReceiptPage
import app.groschen.view.Refusal
import app.groschen.view.RegisterPage
import app.groschen.view.Registering
import app.groschen.view.ShiftCheckPage
import app.groschen.view.ShiftEndPage
import app.groschen.view.SplitPage
import app.groschen.view.SplitPart
import app.groschen.view.StaffChoice
import app.groschen.view.Swapping
import app.groschen.view.SyncPage
import app.groschen.view.ThemeChoice
import app.groschen.view.Tip
import app.groschen.view.TipOffer
import app.groschen.view.TopUpPage
import app.groschen.view.TrainingPage
import app.groschen.view.Units
import app.groschen.view.View
import app.groschen.view.Waiting

/** Every screen with the states that a cashier meets, by the name of its picture. */
object Views {
    private val noCashier = frame(cashier = null)
    private val paid = sale(last = order(), sameAgain = 850)

    private val start: Map<String, View> = mapOf(
        "starting" to view(Page.Starting, frame = noCashier.copy(till = null, event = null)),
        "register" to register(Registering.Scan),
        "register-refused" to register(Registering.Refused),
        "register-no-camera" to register(Registering.Scan),
        "scan" to register(Registering.Scan),
        "scan-wrong" to register(Registering.NotACode),
        "register-confirm" to register(Registering.Confirm("407193")),
        "broken" to view(Page.Broken(Broken.QUEUE, "disk I/O error (10)"), frame = noCashier.copy(till = null, event = null)),
        "waiting-locked" to view(Page.Waiting(Waiting.LOCKED), frame = frame(cashier = null, pill = Samples.online.copy(state = PillState.STOPPED))),
        "login" to view(Page.Login(LoginPage(emptyList(), null, "Lena Brandt", null)), frame = noCashier),
        "login-names" to view(
            Page.Login(LoginPage(listOf(StaffChoice(1, "Lena Brandt"), StaffChoice(2, "Mehmet"), StaffChoice(3, "Ola")), null, null, "Mehmet")),
            frame = noCashier,
        ),
        "pin" to view(Page.Login(LoginPage(emptyList(), PinPad("Lena Brandt", 2, true, 3, false), null, null)), frame = noCashier),
        "shift-check" to view(
            Page.ShiftCheck(
                ShiftCheckPage(
                    listOf(
                        Check(CheckKind.NFC, CheckState.GOOD, null),
                        Check(CheckKind.BATTERY, CheckState.LOOK, 18),
                        Check(CheckKind.CLOCK, CheckState.BAD, 7),
                        Check(CheckKind.PRICES, CheckState.GOOD, null),
                        Check(CheckKind.DISK, CheckState.GOOD, 12_400),
                        Check(CheckKind.SOUND, CheckState.LOOK, null),
                        Check(CheckKind.UNSENT, CheckState.GOOD, 0),
                        Check(CheckKind.KEYS, CheckState.GOOD, null),
                    ),
                    false,
                ),
            ),
        ),
        "home" to view(Page.Home(HomeTile.entries)),
    )

    private val selling: Map<String, View> = mapOf(
        "sale-empty" to view(Page.Sale(paid)),
        "sale-cart" to view(Page.Sale(Samples.cartSale)),
        "sale-cash" to view(Page.Sale(sale(strip(cash = true, card = true, total = 123_450), mapOf(1L to 12))), frame = frame(Samples.offline)),
        "sale-credit" to view(
            Page.Sale(sale(strip(-400, Samples.cupsBack, canSplit = false), hold = Hold.CREDITED, back = mapOf(90L to 2))),
        ),
        "sale-settling" to view(Page.Sale(sale(strip(changeable = false, canSplit = false), mapOf(1L to 2), Hold.SAME_BAND))),
        "sale-alarms" to view(Page.Sale(Samples.emptySale), frame = frame(Samples.attention, listOf(Alarm.Battery(9), Alarm.Mute))),
        "sale-training" to view(Page.Sale(Samples.cartSale), frame = frame(training = true)),
        "free-price" to view(Page.FreePrice(PadPage("Spende", 1_250, true))),
        "cart" to view(Page.Cart(CartPage(Samples.lines, strip(useVouchers = true, cash = true), false, null))),
        "cart-guest" to view(Page.Cart(CartPage(Samples.lines, strip(), true, null))),
        "cart-tip" to view(Page.Cart(CartPage(Samples.lines + Samples.tip, strip(total = 2_200), false, Samples.tips(50)))),
        "cart-guest-tip" to view(Page.Cart(CartPage(Samples.lines, strip(), true, Samples.tips(0)))),
        "cart-guest-deposit" to view(
            Page.Cart(CartPage(Samples.cupsBack, strip(-400, Samples.cupsBack), true, Tip(0, listOf(TipOffer(400, 0))))),
        ),
        "foreign" to view(
            Page.Foreign(
                ForeignPage(
                    2_150, false, 0,
                    listOf(
                        francs(2_010, listOf(ChangeOffer(2_100, 97), ChangeOffer(5_000, 3_200), ChangeOffer(10_000, 8_550), ChangeOffer(20_000, 19_250))),
                        ForeignCurrency(8, "CZK", "Tschechische Krone", 40_500, 53_087, listOf(ChangeOffer(53_100, 0), ChangeOffer(100_000, 1_900)), null),
                    ),
                ),
            ),
        ),
        "foreign-top-up" to view(Page.Foreign(ForeignPage(null, false, 5_000, listOf(francs(null, emptyList(), 5_350))))),
        "foreign-hand-in" to view(Page.Foreign(ForeignPage(null, true, 5_000, listOf(francs(null, emptyList(), 5_350))))),
        "split-choose" to view(Page.Split(SplitPage(2_150, null, emptyList(), 2_150))),
        "split-running" to view(Page.Split(SplitPage(2_150, 3, listOf(SplitPart("1617", 717)), 1_433))),
    )

    private val results: Map<String, View> = mapOf(
        "reading" to view(Page.Sale(Samples.cartSale), Notice.Reading),
        "paid" to view(Page.Sale(paid), Notice.Done(done(cupsOut = 2, vouchers = listOf(Units("Getränkegutschein", 2)), vouchersLeft = listOf(Units("Getränkegutschein", 1))))),
        "paid-foreign" to view(Page.Sale(paid), Notice.Done(done(total = 2_150, left = null, change = 3_200, canUndo = false, canCorrect = false, band = null))),
        "handed-in" to view(
            Page.Foreign(ForeignPage(null, true, 0, listOf(francs(null, emptyList(), null)))),
            Notice.Done(done(DoneKind.HandedIn("CHF", 5_000), -5_350, null, canUndo = false, canCorrect = false, band = null)),
        ),
        "refused-foreign-little" to view(Page.Sale(Samples.cartSale), Notice.Refused(Refusal.ForeignTooLittle("CHF", 2_010))),
        "paid-about" to view(Page.Sale(paid), Notice.Done(done(asOf = NOW_MS - 10 * MINUTE_MS)), frame(Samples.offline)),
        "credited" to view(Page.Sale(paid), Notice.Done(done(DoneKind.Credited, 400, 1_600, cupsBack = 2, canCorrect = false))),
        "corrected" to view(Page.Sale(paid), Notice.Done(done(DoneKind.Corrected(850), 450, 1_600))),
        "cancelled" to view(Page.Sale(paid), Notice.Done(done(DoneKind.Cancelled, 850, 2_050, canUndo = false, canCorrect = false, receipt = null))),
        "topped-up" to view(
            Page.TopUp(topUp()), Notice.Done(done(DoneKind.ToppedUp(true), 2_000, 3_250, change = 3_000, settled = 500, owed = 100, canCorrect = false)),
        ),
        "paid-out" to view(Page.PayOut(payOut()), Notice.Done(done(DoneKind.PaidOut, 1_250, 0, canUndo = false, canCorrect = false))),
        "swapped" to view(Page.Band(band()), Notice.Done(done(DoneKind.Swapped(true), 0, 1_250, canUndo = false, canCorrect = false, receipt = null))),
        "drawer-counted" to view(
            Page.Home(HomeTile.entries), Notice.Done(done(DoneKind.DrawerCounted(31_250, 30_900), 30_900, null, canUndo = false, canCorrect = false, receipt = null, band = null)),
        ),
        "refused-too-low" to view(
            Page.Sale(Samples.cartSale),
            Notice.Refused(Refusal.TooLow(250, 1_900, null, listOf(EnoughWithout(1, "Pils 0,4 l"), EnoughWithout(7, "Wodka-Mate")), true)),
        ),
        "refused-blocked" to view(Page.Sale(Samples.cartSale), Notice.Refused(Refusal.Blocked(Blocked.LOST))),
        "refused-foreign" to view(Page.Sale(Samples.cartSale), Notice.Refused(Refusal.NotOurs)),
        "refused-offline" to view(Page.Sale(Samples.cartSale), Notice.Refused(Refusal.OfflineUnknownBand(1_000)), frame(Samples.offline)),
        "refused-ask-books" to view(Page.Sale(Samples.cartSale), Notice.Refused(Refusal.AskBooks)),
        "refused-too-quick" to view(Page.Sale(Samples.cartSale), Notice.Refused(Refusal.TooQuick)),
        "hold-again" to view(Page.Sale(sale(strip(changeable = false), mapOf(1L to 2), Hold.SAME_BAND)), Notice.HoldAgain("1617", 2_150)),
        "already-paid" to view(Page.Sale(paid), Notice.Already(850, NOW_MS)),
        "next-part" to view(Page.Sale(Samples.cartSale), Notice.NextPart(1, 3, 1_433)),
        "last-booked" to view(Page.Sale(paid), Notice.LastCart(true, 850, NOW_MS)),
        "last-not-booked" to view(Page.Sale(Samples.cartSale), Notice.LastCart(false, 2_150, NOW_MS)),
        "copy-received" to view(Page.Evacuation(EvacuationPage.Taken(212)), Notice.CopyReceived("Zeltbar 1", 12, 5_150)),
        "own-band" to view(Page.Sale(Samples.cartSale), Notice.OwnBand),
        "swap-cashier" to view(Page.Sale(Samples.emptySale), Notice.SwapCashier("Mehmet")),
        "balance" to view(
            Page.Sale(Samples.emptySale),
            Notice.Balance(balance(units = listOf(Units("Getränkegutschein", 2)), lastSale = LastSale(450, NOW_MS - 30 * MINUTE_MS, "Zeltbar 1"))),
        ),
        "balance-about" to view(Page.Sale(Samples.emptySale), Notice.Balance(balance(asOf = NOW_MS - 600_000, owed = 350)), frame(Samples.offline)),
        "balance-unknown" to view(Page.Sale(Samples.emptySale), Notice.Balance(balance(money = null)), frame(Samples.offline)),
        "balance-blocked" to view(Page.Sale(Samples.emptySale), Notice.Balance(balance(blocked = Blocked.REPLACED))),
    )

    private val rest: Map<String, View> = mapOf(
        "history" to view(
            Page.History(
                HistoryPage(
                    listOf(
                        order(sent = false),
                        order(2_150, minutesAgo = 4),
                        order(-400, OrderKind.DEPOSIT_RETURN, 6),
                        order(450, minutesAgo = 9, takenBack = true, cancellable = false),
                        order(2_000, OrderKind.TOP_UP, 15, cancellable = false),
                    ),
                    "", 5,
                ),
            ),
        ),
        "history-empty" to view(Page.History(HistoryPage(emptyList(), "", 0))),
        "history-search" to view(Page.History(HistoryPage(emptyList(), "9,50", 5))),
        "order" to view(Page.Order(OrderPage(order(sent = false), true))),
        "order-too-late" to view(Page.Order(OrderPage(order(minutesAgo = 40, cancellable = false), true))),
        "top-up" to view(Page.TopUp(topUp())),
        "top-up-band" to view(Page.TopUp(topUp(band = balance(owed = 350), typed = 2_000))),
        "top-up-cash" to view(
            Page.TopUp(topUp(open = OpenTopUp(2_000, Method.CASH, null, null, emptyList(), listOf(ChangeOffer(5_000, 3_000), ChangeOffer(10_000, 8_000)), false))),
        ),
        "top-up-change" to view(
            Page.TopUp(
                topUp(
                    band = balance(),
                    open = OpenTopUp(2_000, Method.CASH, 5_000, 3_000, listOf(Pieces(2_000, 1), Pieces(500, 2)), listOf(ChangeOffer(5_000, 3_000), ChangeOffer(10_000, 8_000)), false),
                ),
            ),
        ),
        "top-up-foreign" to view(
            Page.TopUp(topUp(open = OpenTopUp(5_350, Method.CASH, null, null, emptyList(), emptyList(), false, ForeignCash("CHF", 5_000))).copy(foreign = true)),
        ),
        "top-up-currencies" to view(Page.TopUp(topUp(typed = 2_000).copy(foreign = true))),
        "pay-out" to view(Page.PayOut(payOut(typed = 1_250))),
        "pay-out-offline" to view(Page.PayOut(payOut().copy(band = null, all = null, offlineMax = 2_000)), frame = frame(Samples.offline, canGoBack = true)),
        "pay-out-hold" to view(Page.PayOut(payOut().copy(open = 1_250))),
        "band" to view(Page.Band(band())),
        "band-lost" to view(Page.Band(band().copy(band = null, number = "04a3b2c1", isNumber = true))),
        "band-swap" to view(Page.Band(band().copy(swapping = Swapping("1617", false)))),
        "receipt" to view(Page.Receipt(ReceiptPage(RECEIPT, order(), sent = true, carried = false))),
        "receipt-unsent" to view(Page.Receipt(ReceiptPage(RECEIPT, order(), sent = false, carried = false)), frame = frame(Samples.offline, canGoBack = true)),
        "sync-online" to view(Page.Sync(sync(Samples.online, 0))),
        "sync-offline" to view(Page.Sync(sync(Samples.offline, 12)), frame = frame(Samples.offline, canGoBack = true)),
        "evacuation" to view(Page.Evacuation(EvacuationPage.Start(12)), frame = frame(Samples.attention, canGoBack = true)),
        "evacuation-giving" to view(Page.Evacuation(EvacuationPage.Giving("GROSCHEN:E:2/5:".padEnd(600, '7'), 2, 5)), frame = frame(Samples.attention, canGoBack = true)),
        "evacuation-taking" to view(Page.Evacuation(EvacuationPage.Taking(3, 5, listOf(2, 4)))),
        "evacuation-no-camera" to view(Page.Evacuation(EvacuationPage.Taking(0, 0, emptyList())), frame = frame(Samples.offline, canGoBack = true)),
        "scan-series" to view(Page.Evacuation(EvacuationPage.Taking(3, 5, listOf(2, 4)))),
        "evacuation-written" to view(Page.Evacuation(EvacuationPage.Start(12)), frame = frame(Samples.attention, canGoBack = true)),
        "evacuation-half-written" to view(Page.Evacuation(EvacuationPage.Start(12)), frame = frame(Samples.attention, canGoBack = true)),
        "evacuation-file-too-large" to view(Page.Evacuation(EvacuationPage.Taking(0, 0, emptyList())), frame = frame(canGoBack = true)),
        "refused-no-copy" to view(Page.Evacuation(EvacuationPage.Taking(0, 0, emptyList())), Notice.Refused(Refusal.NoCopy), frame(canGoBack = true)),
        "evacuation-taken" to view(Page.Evacuation(EvacuationPage.Taken(212))),
        "device" to device(),
        "keys-passphrase" to device(),
        "keys-locked" to device(),
        "keys-taken" to device(),
        "keys-not-taken" to device(),
        "shift-end" to view(Page.ShiftEnd(shiftEnd())),
        "shift-end-foreign" to view(Page.ShiftEnd(shiftEnd().copy(foreign = true))),
        "shift-end-unsent" to view(Page.ShiftEnd(shiftEnd().copy(unsent = 7, unsentTotal = 5_150, ready = false)), frame = frame(Samples.offline, canGoBack = true)),
        "shift-end-drawer" to view(
            Page.ShiftEnd(
                shiftEnd().copy(
                    ready = false,
                    drawer = DrawerCount(listOf(10_000L, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10).mapIndexed { place, worth -> Pieces(worth, place) }, 31_250),
                ),
            ),
        ),
        "training" to view(
            Page.Training(TrainingPage(ExerciseKind.entries.mapIndexed { place, kind -> Exercise(kind, place < 2, place == 2) }, true)),
            frame = frame(training = true, canGoBack = true),
        ),
        "guide" to view(Page.Guide),
    )

    /** What the phone itself does on some of them. */
    private val beside: Map<String, Beside> = mapOf(
        "register-no-camera" to Beside(Scan.Not(NoScan.REFUSED)),
        "scan" to Beside(Scan.On(light = false)),
        "scan-wrong" to Beside(Scan.On(light = null, read = 1)),
        "scan-series" to Beside(Scan.On(light = true, read = 3)),
        "evacuation-no-camera" to Beside(Scan.Not(NoScan.FAILED)),
        "evacuation-written" to Beside(errand = Errand.Given(2)),
        "evacuation-half-written" to Beside(errand = Errand.Left(1, 2)),
        "evacuation-file-too-large" to Beside(errand = Errand.Failed(NoFile.TOO_LARGE)),
        "keys-passphrase" to Beside(errand = Errand.Locked(isWrong = false)),
        "keys-locked" to Beside(errand = Errand.Locked(isWrong = true)),
        "keys-taken" to Beside(errand = Errand.KeysTaken(2)),
        "keys-not-taken" to Beside(errand = Errand.Failed(NoFile.NOT_TAKEN, "refused: the device is locked")),
    )

    fun beside(name: String): Beside = beside[name] ?: Beside()

    /** All of them. */
    val all: Map<String, View> = start + selling + results + rest + carried

    /** A state of each screen and of each kind of result: how it is built. */
    val screens: Map<String, View> = all.filterKeys { it in BUILT }

    /** The further states. */
    val states: Map<String, View> = all - BUILT

    private fun register(state: Registering): View =
        view(Page.Register(RegisterPage(state, "kasse.example.org")), frame = noCashier.copy(till = null, event = null))

    private fun device() = view(
        Page.Device(DevicePage("0.1.0", "17", "3.12", 0, 64, KeyPlace.HARDWARE, 2, ThemeChoice.NIGHT, true, false, false, null)),
    )

    private fun topUp(band: Balance? = null, typed: Long = 0, open: OpenTopUp? = null) =
        TopUpPage(listOf(500, 1_000, 2_000, 3_000, 5_000, 10_000), typed, 100, 15_000, listOf(Method.CASH, Method.CARD), open, band, false)

    private fun francs(needed: Long?, offers: List<ChangeOffer>, worth: Long? = null) =
        ForeignCurrency(7, "CHF", "Schweizer Franken", 1_070_000, needed, offers, worth)

    private fun payOut(typed: Long = 0) = PayOutPage(typed, balance(), 1_250, null, null)

    private fun band() = BandPage(balance(), "", false, null, true, true)

    private fun sync(pill: Pill, orders: Int) = SyncPage(
        pill, orders, if (orders > 0) 5_150 else 0, if (orders > 0) NOW_MS - 4 * MINUTE_MS else null,
        if (orders > 0) listOf(Ability.SELL_WITHIN_LIMITS, Ability.TOP_UP_LATER, Ability.CANCEL) else Ability.entries - Ability.SELL_WITHIN_LIMITS - Ability.TOP_UP_LATER,
        if (orders > 0) listOf(Ability.FRESH_BALANCE, Ability.PAY_OUT, Ability.NEW_PRICES, Ability.BLOCK_LIST, Ability.SIGNED_RECEIPTS) else emptyList(),
        Network(NetworkKind.WIFI, 1), "GROSCHEN:D:till=3;app=0.1.0;unsent=12",
    )

    /** Receipts whose code carries them: of five lines, and of the most that a code holds. */
    val carried: Map<String, View>
        get() = mapOf("receipt-carried" to 451, "receipt-carried-longest" to LONGEST).mapValues { (_, letters) ->
            val page = ReceiptPage(carried(letters), order(), sent = false, carried = true)
            view(Page.Receipt(page), frame = frame(Samples.offline, canGoBack = true))
        }

    private val BUILT
        get() = setOf(
            "starting", "register", "scan", "scan-series", "waiting-locked", "login", "pin", "shift-check", "home", "sale-empty", "sale-cart", "sale-training",
            "free-price", "cart", "cart-guest", "split-running", "paid", "refused-too-low", "refused-blocked", "hold-again", "already-paid", "balance", "history",
            "order", "top-up", "top-up-change", "pay-out", "band", "receipt", "sync-offline", "evacuation", "evacuation-giving", "evacuation-taking", "device",
            "keys-passphrase", "shift-end-unsent", "training", "guide",
        )

    private const val RECEIPT = "https://pay.example.org/r/1Yh3kQ9vTq7b"

    /** The longest address that a receipt's code ever has. */
    private const val LONGEST = 1_273

    /** An address that carries the receipt, with as many letters. */
    private fun carried(letters: Int): String {
        val alphabet = ('A'..'Z') + ('a'..'z') + ('0'..'9')
        return generateSequence(7) { (it * 31 + 11) % 1_009 }.map { alphabet[it % alphabet.size] }.take(letters - RECEIPT.length).joinToString("", prefix = RECEIPT)
    }

    private fun shiftEnd() = ShiftEndPage(NOW_MS - 300 * MINUTE_MS, 412, 318_450, 3, 1_350, 21, 43_000, 2, 2_750, 730, 655, 18, 0, 0, null, true, false)
}
