import Foundation
import Testing

@testable import Painting

@Suite struct RequestTests {
  static var full: Request {
    var request = Request("a red fox | snow:-0.5")
    request.method = .vqganCLIP
    request.width = 320
    request.height = 200
    request.seed = 1 << 53 - 1
    request.initImage = .init(name: "a.png", sha256: String(repeating: "0f", count: 32))
    request.iterations = 12
    request.cutouts = 3
    request.learningRate = 0.25
    request.augmentations = [.affine, .noise]
    request.precision = .float32
    request.arguments = ["latent": .string("z")]
    return request
  }

  @Test("a request survives JSON")
  func roundTrip() throws {
    var dalle = Request("fox")
    dalle.method = .dalle
    dalle.candidates = 9
    dalle.rank = 2
    dalle.arguments = [
      "conditionScale": .number(1.75), "temperature": .number(0.7), "topK": .integer(50),
    ]
    for request in [Self.full, dalle, Request("ü\n\"x\"")] {
      #expect(try Request(json: JSONEncoder().encode(request)) == request)
    }
  }

  @Test("every stored field but the prompt is declared as a parameter")
  func declared() {
    let fields = Mirror(reflecting: Request("x")).children.compactMap(\.label)
    #expect(Set(fields) == Set(["prompt", "arguments"] + Request.parameters.map(\.name)))
  }

  @Test("declarations hold their own defaults")
  func defaults() throws {
    for parameter in Request.parameters {
      var request = Request("x")
      try parameter.set(&request, parameter.default)
      #expect(parameter.get(request) == parameter.default, "\(parameter.name)")
      #expect(!parameter.help.isEmpty)
    }
  }

  @Test(
    "a bad document gives one error that names the field",
    arguments: [
      (#"{}"#, "no 'prompt'"), (#"[]"#, "not a JSON object"), ("{", "not valid JSON"),
      (#"{"prompt":3}"#, "prompt must be a text"), (#"{"prompt":" "}"#, "prompt is empty"),
      (#"{"prompt":"a","widht":64}"#, "'widht'. Did you mean 'width'?"),
      (#"{"prompt":"a","xyzzyplugh":64}"#, "no parameter 'xyzzyplugh'."),
      (#"{"prompt":"a","width":0}"#, "width must be a whole number from 16 to 4096, not 0"),
      (#"{"prompt":"a","width":"x"}"#, "width must be a whole number"),
      (#"{"prompt":"a","width":64.5}"#, "width must be a whole number"),
      (#"{"prompt":"a","seed":-1}"#, "seed must be"),
      (#"{"prompt":"a","seed":1e30}"#, "seed must be"),
      (
        #"{"prompt":"a","method":"magic"}"#,
        "method must be one of auto, vqgan-clip"
      ),
      (#"{"prompt":"a","learningRate":0}"#, "learningRate must be a number from 1e-06 to 1000"),
      (#"{"prompt":"a","augmentations":["blur"]}"#, "augmentations must be one of"),
      (#"{"prompt":"a","augmentations":true}"#, "augmentations must be a list"),
      (#"{"prompt":"a","initImage":"x.png"}"#, "initImage must have"),
      (#"{"prompt":"a","initImage":{"name":"../x","sha256":"00"}}"#, "initImage must have"),
      (#"{"prompt":"a","schema":2}"#, "newer than this program"),
      (#"{"prompt":"a","schema":"1"}"#, "schema must be"),
      (
        #"{"prompt":"a","method":"dalle","iterations":5}"#, "iterations is not a parameter of dalle"
      ),
      (#"{"prompt":"a","candidates":2,"rank":3}"#, "rank is 3, of only 2 candidates"),
    ])
  func refused(_ json: String, _ part: String) {
    do {
      try Request(json: Data(json.utf8)).validate(in: .builtIn)
      Issue.record("accepted")
    } catch {
      #expect("\(error)".contains(part), "\(error)")
    }
  }

  @Test("a document is read whatever it names; what there is not is refused when it is checked")
  func unknown() throws {
    let json = #"{"prompt":"a","method":"pixl","colums":8,"objectives":[{"name":"palete","x":1}]}"#
    var request = try Request(json: Data(json.utf8))
    #expect(request.method == "pixl")
    #expect(request.arguments == ["colums": .integer(8)])
    #expect(request.objectives == [PartSpec("palete", ["x": .integer(1)])])
    #expect(try Request(json: JSONEncoder().encode(request)) == request)

    func problem() -> String {
      do {
        try request.validate(in: .builtIn)
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(problem().contains("did you mean 'pixel'"), "\(problem())")
    request.method = "pixel"
    #expect(problem().contains("did you mean 'palette'"), "\(problem())")
    request.objectives = [PartSpec("palette", ["x": .integer(1)])]
    #expect(problem().contains("palette has no argument 'x'"), "\(problem())")
    request.objectives = nil
    #expect(problem().contains("'colums'. Did you mean 'columns'?"), "\(problem())")
    request.arguments = ["columns": .integer(8)]
    #expect(problem().isEmpty)
    request.method = "line"
    #expect(problem().contains("columns is not a parameter of line but of pixel"), "\(problem())")
  }

  @Test(
    "sizes and places of squares are taken where the way of cutting looks at them",
    arguments: [
      (#"{"cutSizes":[0.2,0.9],"cutMode":"deep-daze"}"#, ""),
      (#"{"cutSizes":[0.2,0.9,0.7],"cutSpread":[0.5,0.1],"cutCenter":3}"#, ""),
      (#"{"cutCenter":3,"cutMode":"big-sleep"}"#, ""),
      (#"{"cutSizes":[0.9,0.2]}"#, "cutSizes must be the least and the largest share"),
      (#"{"cutSizes":[0.2]}"#, "cutSizes must be the least and the largest share"),
      (#"{"cutSizes":[0.2,0.5,0.7]}"#, "cutSizes must be the least and the largest share"),
      (#"{"cutSpread":[0.2]}"#, "cutSpread must be a mean and a deviation"),
      (#"{"cutSizes":[0.2,0.9],"cutMode":"big-sleep"}"#, "choose deep-daze"),
      (#"{"cutCenter":1,"cutMode":"latest"}"#, "choose big-sleep or deep-daze"),
    ])
  func squares(_ fields: String, _ problem: String) throws {
    let json = Data((#"{"prompt":"a","method":"pixels","# + fields.dropFirst()).utf8)
    guard problem.isEmpty else {
      let error = #expect(throws: RequestError.self) {
        try Request(json: json).validate(in: .builtIn)
      }
      #expect("\(error.map { "\($0)" } ?? "")".contains(problem))
      return
    }
    let request = try Request(json: json)
    try request.validate(in: .builtIn)
    let squares = try request.squares()
    #expect(squares.lower == request.cutSizes?[0] ?? 0.1)
    #expect(squares.upper == request.cutSizes?[1] ?? 1)
    #expect(squares.lowerAtEnd == (request.cutSizes?.count == 3 ? 0.7 : nil))
    #expect(squares.isGaussian == (request.cutSpread != nil))
    #expect(squares.isCentered == (request.cutCenter != nil))
    #expect(squares.focus == request.cutCenter ?? 2)
  }

  @Test("null leaves a field open")
  func null() throws {
    #expect(
      try Request(json: Data(#"{"prompt":"a","width":null,"initImage":null}"#.utf8)) == Request("a")
    )
  }

  @Test("metadata survive JSON and hold the infotext that galleries read")
  func metadata() throws {
    let metadata = Metadata(
      request: Self.full, pack: .init(id: "tiny", version: "1, or: so"), device: "cpu",
      precision: "float32", threads: 2, libtorch: "2.13.0", painted: .init(width: 64, height: 40),
      resampling: "lanczos")
    let json = try metadata.json()
    #expect(try Metadata(json: json) == metadata)
    #expect(!json.contains(FileManager.default.currentDirectoryPath))
    #expect(
      metadata.infotext == """
        a red fox | snow:-0.5
        Steps: 12, Sampler: VQGAN+CLIP, Seed: 9007199254740991, Size: 320x200, \
        Model: "tiny 1, or: so", Cutouts: 3, Learning rate: 0.25, Version: reverie 0.1.0
        """)
    var other = metadata
    other.request.negativePrompt = "blurry | cat:1.2"
    #expect(
      other.infotext.split(separator: "\n").dropLast()
        == ["a red fox | snow:-0.5", "Negative prompt: blurry | cat:1.2"])
  }

  @Test("slugs are short ASCII")
  func slugs() {
    let cases = [
      ("A Red Fox!", "a-red-fox"), ("Écureuil à vélo", "ecureuil-a-velo"), ("🦊", "picture"),
      ("../../etc/passwd", "etc-passwd"), ("a:1|b", "a-1-b"),
      (String(repeating: "x", count: 500), String(repeating: "x", count: 48)),
      (
        "one two three four five six seven eight nine ten eleven",
        "one-two-three-four-five-six-seven-eight-nine-ten"
      ),
    ]
    for (text, slug) in cases { #expect(OutputName.slug(text) == slug) }
  }

  @Test("names hold day, time, slug and seed")
  func names() throws {
    let zone = try #require(TimeZone(secondsFromGMT: 0))
    let name = OutputName(
      prompt: "a fox", seed: 7, date: Date(timeIntervalSince1970: 1_788_273_052), zone: zone)
    #expect(name.folder == "20260901")
    #expect(name.stem == "143052-a-fox-7")
  }

  @Test("the nearest name is one that is similar")
  func nearest() {
    #expect(nearestName(to: "iteratons", among: ["iterations", "cutouts"]) == "iterations")
    #expect(nearestName(to: "banana", among: ["iterations", "cutouts"]) == nil)
  }

  @Test("physical cores are pairs of package and core")
  func cores() {
    let text = """
      physical id\t: 0
      core id\t\t: 0

      physical id\t: 0
      core id\t\t: 0

      physical id\t: 1
      core id\t\t: 0
      """
    #expect(Processor.physicalCores(text) == 2)
    #expect(Processor.physicalCores("model name : x") == nil)
    #expect(Processor.cores >= 1)
  }

  @Test("memory is read as the system tells it, and a peak can be forgotten")
  func memory() throws {
    let text: Substring =
      "MemTotal: 9 kB\nMemAvailable:   2048 kB\nVmHWM:\t 3 kB\nX: 9223372036854775807 kB"
    #expect(Memory.bytes(of: "MemAvailable", in: text) == 2_097_152)
    #expect(Memory.bytes(of: "VmHWM", in: text) == 3_072)
    #expect(Memory.bytes(of: "X", in: text) == nil)
    #expect(Memory.bytes(of: "Mem", in: text) == nil)
    #if os(Linux)
      #expect(try #require(Memory.peak) > 1 << 20)
      #expect(try #require(Memory.free) > 1 << 20)
      // Kept at least a page.
      Memory.forgetPeak()
      #expect(try #require(Memory.peak) > 4_096)
    #endif
  }

  @Test("a seed is a number, or any text that stands for one")
  func seeds() throws {
    func seed(_ value: JSONValue) throws -> Int? {
      var request = Request("fox")
      try request.set("seed", value)
      return request.seed
    }
    #expect(try seed(.integer(7)) == 7)
    #expect(try seed(.string(" 7 ")) == 7)
    // printf 'blue moon' | sha256sum
    #expect(try seed(.string("blue moon")) == 0x3b74dc9061f59)
    #expect(try seed(.string(" blue moon\n")) == seed(.string("blue moon")))
    #expect(try seed(.string("blue moons")) != seed(.string("blue moon")))
    for bad in ["", "  ", "-1", "1.5", "1e300", "9007199254740992"] {
      #expect(throws: RequestError.self, "\(bad)") { try seed(.string(bad)) }
    }
    #expect(throws: RequestError.self) { try seed(.number(1.5)) }
  }
}
