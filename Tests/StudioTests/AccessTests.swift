import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import Painting
@testable import Studio

/// Which sites may use the studio.
@Suite struct AccessTests {
  @Test("pages of allowed origins and programs in containers may use the studio, others not")
  func origins() async throws {
    let origin = "http://localhost:5001"
    try await Asking.with(FakeWorker(), { $0.origins = [origin] }) { ask in
      let asked = HTTPField.Name.accessControlRequestMethod
      let early = try await ask(
        .options, "/sdapi/v1/txt2img", nil, [.origin: origin, asked: "POST"])
      #expect(early.status == 204)
      #expect(early.headers[.accessControlAllowOrigin] == origin)
      let late = try await ask(.get, "/sdapi/v1/options", nil, [.origin: origin])
      #expect(late.status == 200 && late.headers[.accessControlAllowOrigin] == origin)
      let other = try await ask(
        .options, "/sdapi/v1/txt2img", nil, [.origin: "http://evil.example", asked: "POST"])
      #expect(other.status == 403 && other.headers[.accessControlAllowOrigin] == nil)
      #expect(other.body["detail"]?.text.contains("--allow-origin") == true)
    }
  }

  @Test("a token is wanted of allowed origins, too, but not of what a browser asks before")
  func originsWithToken() async throws {
    try await Asking.with(
      FakeWorker(),
      {
        $0.origins = ["*"]
        $0.token = "open-sesame-1"
      }
    ) { ask in
      let origin = "http://localhost:5001"
      let early = try await ask(
        .options, "/sdapi/v1/txt2img", nil,
        [.origin: origin, .accessControlRequestMethod: "POST"])
      #expect(early.status == 204)
      let late = try await ask(.get, "/sdapi/v1/options", nil, [.origin: origin])
      #expect(late.status == 401)
      // What a browser sends of its own accord proves nothing of a site that nobody named.
      let login = Data("x:open-sesame-1".utf8).base64EncodedString()
      for fields: HTTPFields in [
        [.origin: origin, .authorization: "Basic \(login)"],
        [.origin: origin, .cookie: "\(AccessPolicy.cookie)=open-sesame-1"],
      ] {
        let answer = try await ask(.get, "/sdapi/v1/options", nil, fields)
        #expect(answer.status == 401)
      }
      let bearer: HTTPFields = [.origin: origin, .authorization: "Bearer open-sesame-1"]
      let known = try await ask(.get, "/sdapi/v1/options", nil, bearer)
      #expect(known.status == 200)
    }
    try await Asking.with(
      FakeWorker(),
      {
        $0.origins = ["http://localhost:5001"]
        $0.token = "open-sesame-1"
      }
    ) { ask in
      let fields: HTTPFields = [
        .origin: "http://localhost:5001", .cookie: "\(AccessPolicy.cookie)=open-sesame-1",
      ]
      let named = try await ask(.get, "/sdapi/v1/options", nil, fields)
      #expect(named.status == 200)
    }
  }
}
