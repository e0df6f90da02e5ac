package runtime;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.HttpURLConnection;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A small Lambda runtime: loads the class named by _HANDLER from /var/task and the jars of /var/task/lib, as AWS's
 * runtime does, and answers events of the Runtime API. Events and answers are flat JSON objects of strings.
 */
public final class Main {
  private static final String API =
      "http://" + System.getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime";
  private static final Pattern PAIR = Pattern.compile("\"([^\"\\\\]*)\"\\s*:\\s*\"([^\"\\\\]*)\"");

  public static void main(String[] args) throws Exception {
    Method method;
    Object handler;
    try {
      String[] names = System.getenv("_HANDLER").split("::");
      Class<?> type = classLoader().loadClass(names[0]);
      handler = type.getDeclaredConstructor().newInstance();
      method = type.getMethod(names[1], Map.class);
    } catch (ReflectiveOperationException error) {
      call("POST", "/init/error", describe(error));
      throw error;
    }
    while (true) {
      HttpURLConnection next = call("GET", "/invocation/next", null);
      String path = "/invocation/" + next.getHeaderField("Lambda-Runtime-Aws-Request-Id");
      Map<String, String> event = parse(new String(next.getInputStream().readAllBytes(), "UTF-8"));
      try {
        call("POST", path + "/response", format((Map<?, ?>) method.invoke(handler, event)));
      } catch (InvocationTargetException error) {
        call("POST", path + "/error", describe(error.getCause()));
      }
    }
  }

  private static ClassLoader classLoader() throws IOException {
    File root = new File(System.getenv("LAMBDA_TASK_ROOT"));
    List<URL> places = new ArrayList<>(List.of(root.toURI().toURL()));
    File[] jars = new File(root, "lib").listFiles((directory, name) -> name.endsWith(".jar"));
    for (File jar : jars == null ? new File[0] : jars) places.add(jar.toURI().toURL());
    return new URLClassLoader(places.toArray(new URL[0]));
  }

  private static HttpURLConnection call(String method, String path, String body) throws IOException {
    HttpURLConnection connection = (HttpURLConnection) new URL(API + path).openConnection();
    connection.setRequestMethod(method);
    if (body != null) {
      connection.setDoOutput(true);
      connection.getOutputStream().write(body.getBytes("UTF-8"));
    }
    connection.getResponseCode();
    return connection;
  }

  private static Map<String, String> parse(String json) {
    Map<String, String> object = new TreeMap<>();
    for (Matcher pair = PAIR.matcher(json); pair.find(); ) object.put(pair.group(1), pair.group(2));
    return object;
  }

  private static String format(Map<?, ?> object) {
    List<String> pairs = new ArrayList<>();
    object.forEach((key, value) -> pairs.add(quote(key) + ":" + quote(value)));
    return "{" + String.join(",", pairs) + "}";
  }

  private static String quote(Object text) {
    return "\"" + String.valueOf(text).replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }

  private static String describe(Throwable error) {
    return format(Map.of("errorMessage", error.toString(), "errorType", error.getClass().getName()));
  }
}
