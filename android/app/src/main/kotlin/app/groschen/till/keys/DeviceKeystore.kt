package app.groschen.till.keys

import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyInfo
import android.security.keystore.KeyProperties
import android.security.keystore.KeyProtection
import app.groschen.view.KeyPlace
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.KeyFactory
import java.security.KeyPairGenerator
import java.security.KeyStore
import java.security.PrivateKey
import java.security.ProviderException
import java.security.Signature
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec
import javax.crypto.Cipher
import javax.crypto.SecretKey
import javax.crypto.SecretKeyFactory
import javax.crypto.spec.SecretKeySpec

/**
 * The terminal's keys, in the phone's trusted environment: they are used here and never leave it.
 *
 * Not in StrongBox: a secure element takes too long to sign at a till's pace. Android's Keystore may take 20 to 100 ms for a
 * signature and is no place for threads in a hurry: the core calls it in the background, never within a tap.
 */
class DeviceKeystore {
    private val store: KeyStore = guarded("the key store does not open") { KeyStore.getInstance(PROVIDER).apply { load(null) } }

    /** Makes the terminal's P-256 key, replacing one that was there. */
    fun makeKey() = guarded("the phone cannot make the terminal's key") {
        val spec = KeyGenParameterSpec.Builder(SIGNING, KeyProperties.PURPOSE_SIGN)
            .setAlgorithmParameterSpec(ECGenParameterSpec("secp256r1"))
            .setDigests(KeyProperties.DIGEST_SHA256)
            .build()
        val generator = KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, PROVIDER)
        generator.initialize(spec)
        generator.generateKeyPair()
        Unit
    }

    /** SEC 1, uncompressed: 65 bytes. The key is made where there is none. */
    fun publicKey(): ByteArray = guarded("the terminal's key is not there") {
        if (!store.containsAlias(SIGNING)) makeKey()
        val key = store.getCertificate(SIGNING)?.publicKey as? ECPublicKey ?: throw KeyUnavailable("the terminal's key is no P-256 key", null)
        EcdsaEncoding.publicKey(key)
    }

    /** Where the terminal's key lives. */
    fun keyPlace(): KeyPlace = guarded("the terminal's key is not there") {
        val key = store.getKey(SIGNING, null) as? PrivateKey ?: return KeyPlace.UNKNOWN
        placeOf(KeyFactory.getInstance(key.algorithm, PROVIDER).getKeySpec(key, KeyInfo::class.java))
    }

    /** ECDSA with SHA-256 over the message, as `r || s`: 64 bytes. */
    fun sign(message: ByteArray): ByteArray = guarded("the phone did not sign") {
        val key = store.getKey(SIGNING, null) as? PrivateKey ?: throw KeyMissing("the phone has no terminal key")
        val signature = Signature.getInstance("SHA256withECDSA")
        signature.initSign(key)
        signature.update(message)
        EcdsaEncoding.rawSignature(signature.sign())
    }

    /**
     * Keeps an AES-128 master key of chips, of which only single blocks can be had from now on. Whoever has taken over the phone may
     * ask it for blocks while holding it, and has nothing afterwards.
     *
     * The key is in the app's memory for this call. Says where it lives from now on.
     */
    fun importChipKey(name: String, key: ByteArray): KeyPlace = guarded("the phone did not take the chip key") {
        if (key.size != CHIP_KEY_BYTES) throw KeyUnavailable("a chip key has 16 bytes", null)
        val protection = KeyProtection.Builder(KeyProperties.PURPOSE_ENCRYPT)
            .setBlockModes(KeyProperties.BLOCK_MODE_ECB)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            // Equal blocks have equal answers: that is what a CMAC is made of, and Android wants it said.
            .setRandomizedEncryptionRequired(false)
            .apply { if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) setUnlockedDeviceRequired(true) }
            .build()
        store.setEntry(CHIPS + name, KeyStore.SecretKeyEntry(SecretKeySpec(key, KeyProperties.KEY_ALGORITHM_AES)), protection)
        val kept = chipKey(name)
        placeOf(SecretKeyFactory.getInstance(kept.algorithm, PROVIDER).getKeySpec(kept, KeyInfo::class.java) as KeyInfo)
    }

    /** One block of AES-128 under a chip key: what CMAC and the derivation of keys are built on. */
    fun encryptBlock(name: String, block: ByteArray): ByteArray = guarded("the phone did not encrypt") {
        if (block.size != BLOCK_BYTES) throw KeyUnavailable("a block has 16 bytes", null)
        val cipher = Cipher.getInstance("AES/ECB/NoPadding")
        cipher.init(Cipher.ENCRYPT_MODE, chipKey(name))
        cipher.doFinal(block)
    }

    private fun chipKey(name: String): SecretKey =
        store.getKey(CHIPS + name, null) as? SecretKey ?: throw KeyMissing("there is no chip key '$name'")

    /** Forgets a chip key; it may be gone already. */
    fun forgetChipKey(name: String) = guarded("the phone did not forget a chip key") { store.deleteEntry(CHIPS + name) }

    internal companion object {
        const val PROVIDER = "AndroidKeyStore"
        const val SIGNING = "terminal"
        const val CHIPS = "chips."
        private const val CHIP_KEY_BYTES = 16
        private const val BLOCK_BYTES = 16

        /** The Keystore is another process: it fails in every way that Java has, the unchecked ones of a provider among them. */
        inline fun <T> guarded(what: String, action: () -> T): T = try {
            action()
        } catch (known: KeyUnavailable) {
            throw known
        } catch (refused: GeneralSecurityException) {
            throw KeyUnavailable(what, refused)
        } catch (broken: ProviderException) {
            throw KeyUnavailable(what, broken)
        } catch (unreadable: IOException) {
            throw KeyUnavailable(what, unreadable)
        } catch (misused: IllegalArgumentException) {
            throw KeyUnavailable(what, misused)
        } catch (denied: IllegalStateException) {
            throw KeyUnavailable(what, denied)
        }
    }
}
