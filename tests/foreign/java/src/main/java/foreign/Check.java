package foreign;

import java.util.Objects;

/**
 * Claviger as the Java world sees it: tokens by Nimbus' OAuth SDK and by Spring Security, verified by Nimbus JOSE+JWT
 * and by Spring's decoder. One line for each check; exit code 1 when one failed.
 */
public final class Check {
    private static int failed = 0;

    private Check() {}

    public static void main(String[] arguments) throws Exception {
        Nimbus.run();
        Spring.run();
        end();
    }

    /** Ends the program: with 1 if a check failed. */
    static void end() {
        System.exit(failed == 0 ? 0 : 1);
    }

    interface Body {
        void run() throws Exception;
    }

    static void check(String name, Body body) {
        try {
            body.run();
            System.out.println("ok      " + name);
        } catch (Exception | AssertionError error) {
            failed++;
            System.out.println("FAILED  " + name);
            error.printStackTrace(System.out);
        }
    }

    static void equal(String what, Object found, Object expected) {
        if (!Objects.equals(found, expected)) {
            throw new AssertionError(what + " is " + found + ", expected " + expected);
        }
    }

    /** The exception of that kind which the body throws, and it must. */
    static <E extends Exception> E refused(Class<E> kind, Body body) throws Exception {
        try {
            body.run();
        } catch (Exception error) {
            if (kind.isInstance(error)) {
                return kind.cast(error);
            }
            throw error;
        }
        throw new AssertionError("expected " + kind.getSimpleName() + ", and nothing was thrown");
    }
}
