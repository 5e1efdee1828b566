"""`issbox web` and `issbox ca trust-redhat`."""

from pathlib import Path

from makers.certificates import authority_of
from makers.command_line import CommandLine
from makers.serving import issue


def test_the_configuration_of_nginx_needs_a_socket_and_names_its_files(issbox: CommandLine, tmp_path: Path) -> None:
    assert issbox.error("web", "nginx-config", code=6)["code"] == "bad-configuration"
    config = tmp_path / "issbox.toml"
    config.write_text('[web]\nsocket = "/run/issbox/web.sock"\nnames = ["box.example.com"]\n')
    issbox.environ["ISSBOX_CONFIG"] = str(config)
    made = issbox.json("web", "nginx-config", "--listen", "8443", "--user", "nobody")
    assert set(made) == {"config", "authorities", "certificate", "socket"}
    for words in ("listen 8443 ssl;", "user nobody;", "server_name box.example.com;", "unix:/run/issbox/web.sock"):
        assert words in made["config"]
    assert "BEGIN CERTIFICATE" in Path(made["authorities"]).read_text()
    assert issbox("web", "nginx-config", "--listen", "8443", "--user", "nobody").stdout == made["config"]


def test_red_hats_authority_is_trusted_only_when_told(issbox: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(authority_of(number=2).root_pem)
    (tmp_path / "host.pem").write_text(issue(authority_of(number=2), ["/content"]))
    trust = ("ca", "trust-redhat")
    assert issbox.json(*trust) == {"trusted": False, "subjects": [], "expires": None}
    made = issbox.json(*trust, str(tmp_path / "ca.pem"))
    assert (made["trusted"], made["subjects"]) == (True, [authority_of(number=2).name])
    assert issbox.json(*trust) == made
    assert issbox.error(*trust, str(tmp_path / "host.pem"), code=2)["code"] == "invalid-value"
    assert issbox.json(*trust, "--off")["trusted"] is False
    assert issbox.json(*trust)["trusted"] is False
