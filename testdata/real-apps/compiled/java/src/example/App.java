package example;

import java.util.Map;

/** A Lambda function in Java: a plain method, which AWS's runtime calls by reflection. */
public class App {
  public Map<String, String> handleRequest(Map<String, String> event) {
    return Map.of("greeting", "Hello " + event.get("name"));
  }
}
