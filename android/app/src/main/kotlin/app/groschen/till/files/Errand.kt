package app.groschen.till.files

/** How it stands with a file that is given or taken. */
sealed interface Errand {
    /** Nobody wants anything. */
    data object None : Errand

    /** The picker is open, or a file is being read or written. */
    data object Running : Errand

    /** A file of keys is here and waits for its passphrase; [isWrong] after one that did not open it. */
    data class Locked(val isWrong: Boolean) : Errand

    /** It is over, so or so. */
    sealed interface Over : Errand

    /** All bookings are in so many files. */
    data class Given(val files: Int) : Over

    /** The server has everything: there is nothing to give. */
    data object NothingToGive : Over

    /** The picker was left; [given] of [of] files are written, of none where nothing was to be given. */
    data class Left(val given: Int = 0, val of: Int = 0) : Over

    /** So many batches of wristbands have their keys. */
    data class KeysTaken(val batches: Int) : Over

    /** It did not go. */
    data class Failed(val why: NoFile, val reason: String? = null) : Over
}

/** Why a file was not given or taken. */
enum class NoFile {
    /** This phone has nothing to pick a file with, or is locked to the till. */
    NO_PICKER,

    /** It cannot be read. */
    UNREADABLE,

    /** It is larger than any that is wanted. */
    TOO_LARGE,

    /** It cannot be written. */
    UNWRITABLE,

    /** The core has too much to do. */
    BUSY,

    /** It holds no keys for a till. */
    NO_KEYS,

    /** The phone does not take the keys. */
    NOT_TAKEN,
}
