package foreign;

import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.file.Files;
import org.apache.catalina.startup.Tomcat;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configuration.EnableWebSecurity;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.context.support.AnnotationConfigWebApplicationContext;

/** A resource server with Spring Security's filters as docs/resource-servers.md has them, in an embedded Tomcat. */
final class SpringApi {
    private SpringApi() {}

    @Configuration
    @EnableWebSecurity
    static class Security {
        @Bean
        SecurityFilterChain filters(HttpSecurity http) throws Exception {
            return http.authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
                    .oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()).dPoP(Customizer.withDefaults()))
                    .build();
        }

        @Bean
        JwtDecoder jwtDecoder() {
            return Spring.jwtDecoder(World.ISSUER, World.AUDIENCE);
        }
    }

    /** What is behind the filters: it says who calls. */
    static final class Orders extends HttpServlet {
        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
            response.getWriter().println("order of " + request.getUserPrincipal().getName());
        }
    }

    /** Starts it on any port of 127.0.0.1. Returns its URL. */
    static String start() throws Exception {
        var tomcat = new Tomcat();
        tomcat.setBaseDir(Files.createTempDirectory("tomcat").toString());
        tomcat.setPort(0);
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        var context = tomcat.addContext("", null);
        // Maven runs this with a class loader that Tomcat's does not know.
        var classes = SpringApi.class.getClassLoader();
        context.setParentClassLoader(classes);
        context.addServletContainerInitializer((handled, servlets) -> {
            var application = new AnnotationConfigWebApplicationContext();
            application.setClassLoader(classes);
            application.register(Security.class);
            application.setServletContext(servlets);
            application.refresh();
            var filters = application.getBean("springSecurityFilterChain", Filter.class);
            servlets.addFilter("security", filters).addMappingForUrlPatterns(null, false, "/*");
        }, null);
        Tomcat.addServlet(context, "orders", new Orders());
        context.addServletMappingDecoded("/*", "orders");
        tomcat.start();
        return "http://127.0.0.1:" + tomcat.getConnector().getLocalPort();
    }
}
