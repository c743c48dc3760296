import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Weights

/// Who may come in: a browser on another site may not, nor may a name that somebody else points at this
/// machine (DNS rebinding); and where a token is set, nobody may who does not know it.
struct AccessPolicy: Sendable {
  /// The word that clients must know; nil where the studio is for this machine alone.
  var token: String?
  /// Names beside addresses and `localhost` by which the studio may be called.
  var names: Set<String> = []
  /// Other sites that may use the studio, as `http://localhost:5001`; `*` for all.
  var origins: Set<String> = []

  /// What is wrong with a request; nil when it may come in.
  func objection(to request: HummingbirdCore.Request) -> Problem? {
    let host = request.head.authority ?? ""
    guard let name = Self.name(of: host), isKnown(name) else {
      return Problem(
        .misdirectedRequest,
        "The studio does not go by the name '\(host.prefix(80))'. Call it by its address, or start it "
          + "with --name and that name.")
    }
    if let origin = request.headers[.origin] {
      if allows(origin) {
        // What a browser sends of its own accord proves nothing of a site that nobody named.
        return tokenObjection(to: request, bearerOnly: !origins.contains(origin.lowercased()))
      }
      guard isOwn(origin, host: host) else {
        return Problem(
          .forbidden,
          "The site \(origin.prefix(80)) may not use the studio. Start it with --allow-origin and that "
            + "address, if it is to.")
      }
    }
    if let site = request.headers[Self.fetchSite], site == "cross-site",
      request.method != .get && request.method != .head
    {
      return Problem(.forbidden, "Another site may not use the studio.")
    }
    return tokenObjection(to: request)
  }

  private func tokenObjection(
    to request: HummingbirdCore.Request, bearerOnly: Bool = false
  ) -> Problem? {
    guard let token, request.uri.path != "/healthz" else { return nil }
    guard knows(token, request, bearerOnly: bearerOnly) else {
      return Problem(
        .unauthorized,
        "The studio wants its token: the one that it printed when it was started.",
        headers: [.wwwAuthenticate: "Basic realm=\"Reverie\", charset=\"UTF-8\""])
    }
    return nil
  }

  private static let fetchSite = HTTPField.Name("Sec-Fetch-Site").unsafelyUnwrapped
  /// The cookie that a browser keeps the token in.
  static let cookie = "reverie-token"

  /// Whether the token is there: as bearer, as the password of a login, or as cookie.
  private func knows(
    _ token: String, _ request: HummingbirdCore.Request, bearerOnly: Bool
  ) -> Bool {
    var offers: [String] = []
    if let header = request.headers[.authorization] {
      if header.lowercased().hasPrefix("bearer ") {
        offers.append(String(header.dropFirst(7)))
      } else if !bearerOnly, header.lowercased().hasPrefix("basic "),
        let data = Data(base64Encoded: String(header.dropFirst(6))),
        let pair = String(data: data, encoding: .utf8), let colon = pair.firstIndex(of: ":")
      {
        offers.append(String(pair[pair.index(after: colon)...]))
      }
    }
    for cookie in bearerOnly ? [] : request.headers[values: .cookie] {
      for part in cookie.split(separator: ";") {
        let pair = part.split(separator: "=", maxSplits: 1)
        if pair.count == 2, pair[0].trimmingCharacters(in: .whitespaces) == Self.cookie {
          offers.append(String(pair[1]))
        }
      }
    }
    return offers.contains { Self.equal($0, token) }
  }

  /// Whether two words are the same, in a time that does not depend on where they differ.
  static func equal(_ a: String, _ b: String) -> Bool {
    let digests = [a, b].map { Checksum.sha256(of: $0).utf8 }
    return zip(digests[0], digests[1]).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }

  /// The name in `name:port`; nil when that is none.
  static func name(of host: String) -> String? {
    var name = Substring(host.lowercased())
    if name.hasPrefix("[") {
      guard let end = name.firstIndex(of: "]") else { return nil }
      return String(name[...end])
    }
    if let colon = name.lastIndex(of: ":") { name = name[..<colon] }
    return name.isEmpty ? nil : String(name)
  }

  /// Names by which containers call the machine that they run on; no site can have them.
  private static let containerNames: Set = [
    "host.docker.internal", "host.containers.internal",
  ]

  /// Whether a site that is not the studio's own may use it.
  func allows(_ origin: String) -> Bool {
    origins.contains("*") || origins.contains(origin.lowercased())
  }

  /// An address cannot be pointed elsewhere, so that only other names are doubted.
  private func isKnown(_ name: String) -> Bool {
    if name == "localhost" || name.hasPrefix("[") || names.contains(name) { return true }
    if Self.containerNames.contains(name) { return true }
    let numbers = name.split(separator: ".", omittingEmptySubsequences: false)
    return numbers.count == 4 && numbers.allSatisfy { UInt8($0) != nil }
  }

  private func isOwn(_ origin: String, host: String) -> Bool {
    let lowered = origin.lowercased()
    return ["http://", "https://"].contains { lowered == $0 + host.lowercased() }
  }
}

/// Lets in who may come in, and lays headers round answers that keep browsers from harm.
struct AccessMiddleware: RouterMiddleware {
  typealias Context = StudioContext
  let gate: AccessPolicy

  func handle(
    _ request: HummingbirdCore.Request, context: StudioContext,
    next: (HummingbirdCore.Request, StudioContext) async throws -> Response
  ) async throws -> Response {
    var response: Response
    let origin = request.headers[.origin].flatMap { gate.allows($0) ? $0 : nil }
    if let origin, request.method == .options,
      request.headers[.accessControlRequestMethod] != nil
    {
      return Response(status: .noContent, headers: sharing(with: origin, request))
    }
    if let objection = gate.objection(to: request) {
      if let login = login(request) { return login }
      response = objection.response(from: request, context: context)
    } else {
      response = try await next(request, context)
    }
    for (name, value) in Self.headers where response.headers[name] == nil {
      response.headers[name] = value
    }
    if let origin {
      for field in sharing(with: origin, request) {
        response.headers[field.name] = field.value
      }
    }
    return response
  }

  /// What tells a browser that a page of another site may read the answer (the Fetch standard, CORS).
  private func sharing(with origin: String, _ request: HummingbirdCore.Request) -> HTTPFields {
    var headers: HTTPFields = [
      .accessControlAllowOrigin: origin,
      .accessControlAllowMethods: "GET, HEAD, POST, PUT, PATCH, DELETE",
      .accessControlExposeHeaders: "Location, Retry-After, X-Reverie-Ignored",
      .accessControlMaxAge: "600", .vary: "Origin",
    ]
    // A password that the browser keeps is for sites that were named, not for all.
    if gate.origins.contains(origin.lowercased()) {
      headers[.accessControlAllowCredentials] = "true"
    }
    headers[.accessControlAllowHeaders] = request.headers[.accessControlRequestHeaders]
    for (name, value) in [
      ("Cross-Origin-Resource-Policy", "cross-origin"),
      ("Access-Control-Allow-Private-Network", "true"),
    ] {
      if let name = HTTPField.Name(name) { headers[name] = value }
    }
    return headers
  }

  /// The page's address with the token in it: the browser keeps it as a cookie, and it leaves the
  /// address.
  private func login(_ request: HummingbirdCore.Request) -> Response? {
    guard let token = gate.token, request.method == .get, request.uri.path == "/",
      let offer = request.uri.queryParameters["token"], AccessPolicy.equal(String(offer), token)
    else { return nil }
    return Response(
      status: .seeOther,
      headers: [
        .location: "/",
        .setCookie:
          "\(AccessPolicy.cookie)=\(token); Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000",
        .cacheControl: "no-store",
      ])
  }

  private static let headers: [HTTPField.Name: String] = {
    var headers: [HTTPField.Name: String] = [
      .contentSecurityPolicy:
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        + "media-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
        + "form-action 'self'; frame-ancestors 'none'",
      .xContentTypeOptions: "nosniff", .cacheControl: "no-store",
    ]
    for (name, value) in [
      ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin"),
      ("Cross-Origin-Resource-Policy", "same-origin"),
      ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    ] {
      if let name = HTTPField.Name(name) { headers[name] = value }
    }
    return headers
  }()
}
