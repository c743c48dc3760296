import Foundation
import Testing
import Weights

@testable import Library

@Suite("Model store")
struct ModelStoreTests {
  private func withStore(_ body: (ModelStore, URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "weights.bin")
    try Data("weights".utf8).write(to: file)
    try body(ModelStore(folder: folder.appending(path: "models")), file)
  }

  private let record = ModelRecord(
    id: "tiny", kind: .other, title: "a test", source: "here", licence: "MIT")

  @Test("a model is installed, found, verified and removed", arguments: [true, false])
  func life(copying: Bool) throws {
    try withStore { store, file in
      #expect(store.models().isEmpty)
      let placement: ModelStore.Placement = copying ? .copy : .link
      let model = try store.add(record, files: [("weights.bin", file)], placement)
      #expect(model.record.files["weights.bin"]?.size == 7)
      #expect(store.models().map(\.record.id) == ["tiny"])
      #expect(try store.model("tiny").record == model.record)
      #expect(store.problems(of: model).isEmpty)
      try Data("damaged".utf8).write(to: model.url("weights.bin"))
      #expect(store.problems(of: model).count == 1)
      try store.remove("tiny")
      #expect(store.models().isEmpty)
      #expect(FileManager.default.fileExists(atPath: file.path))
      let left = try FileManager.default.contentsOfDirectory(atPath: store.folder.path)
      #expect(left.isEmpty)
    }
  }

  @Test("a second model of the name, a wrong hash and a missing file leave nothing behind")
  func refusals() throws {
    try withStore { store, file in
      try store.add(record, files: [("weights.bin", file)])
      #expect(throws: StoreError.exists(id: "tiny")) {
        try store.add(record, files: [("weights.bin", file)])
      }
      var wrong = record
      wrong.id = "wrong"
      wrong.files["weights.bin"] = .init(size: 7, sha256: String(repeating: "0", count: 64))
      #expect(throws: WeightsError.self) { try store.add(wrong, files: [("weights.bin", file)]) }
      wrong.files = [:]
      #expect(throws: (any Error).self) {
        try store.add(wrong, files: [("x", file.appendingPathExtension("none"))])
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: store.folder.path)
      #expect(left == ["tiny"])
    }
  }

  @Test("a damaged or foreign model.json is refused, and its files' names stay in the folder")
  func records() throws {
    try withStore { store, file in
      try store.add(record, files: [("weights.bin", file)])
      let url = store.folder.appending(path: "tiny/model.json")
      let good = try String(contentsOf: url, encoding: .utf8)
      for (from, to) in [
        ("\"weights.bin\"", "\"../weights.bin\""), ("\"schema\" : 1", "\"schema\" : 2"), ("{", "["),
        ("\"id\" : \"tiny\"", "\"id\" : \"other\""),
      ] {
        try Data(good.replacing(from, with: to).utf8).write(to: url)
        #expect(throws: StoreError.record(path: url.path), "\(to)") { try store.model("tiny") }
        #expect(store.models().isEmpty)
      }
    }
  }

  @Test(
    "names are made of what there is",
    arguments: [
      ("ViT-B-32", "vit-b-32"), ("laion/CLIP ViT-H", "laion-clip-vit-h"), ("..", "model"),
      ("vqgan_imagenet_f16_16384", "vqgan_imagenet_f16_16384"), ("é", "model"),
    ])
  func names(name: String, id: String) {
    #expect(ModelRecord.id(from: name) == id)
    #expect(ModelRecord.isID(id))
  }

  @Test("unknown names are answered with those that are there")
  func unknown() throws {
    try withStore { store, file in
      try store.add(record, files: [("weights.bin", file)])
      for id in ["none", "../tiny", "", "TINY"] {
        let error = #expect(throws: StoreError.self) { try store.model(id) }
        #expect(error == .unknown(id: id, installed: ["tiny"]))
      }
    }
  }

  @Test("the store lies where the environment says, relative XDG folders aside")
  func places() {
    func path(_ environment: [String: String]) -> String {
      ModelStore.standard(environment).folder.path
    }
    #expect(path(["REVERIE_MODELS": "/m", "XDG_DATA_HOME": "/d"]) == "/m")
    #expect(path(["XDG_DATA_HOME": "/d"]) == "/d/reverie/models")
    #expect(path(["XDG_DATA_HOME": "d", "HOME": "/h"]) == "/h/.local/share/reverie/models")
  }
}
