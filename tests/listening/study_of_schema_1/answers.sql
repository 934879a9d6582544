BEGIN TRANSACTION;
CREATE TABLE answer (
	id INTEGER NOT NULL, 
	session INTEGER NOT NULL, 
	page INTEGER NOT NULL, 
	uuid VARCHAR(36) NOT NULL, 
	revision INTEGER NOT NULL, 
	payload TEXT NOT NULL, 
	client_ms BIGINT NOT NULL, 
	server_ms BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (session, page, uuid), 
	FOREIGN KEY(session) REFERENCES session (id) ON DELETE CASCADE
);
INSERT INTO "answer" VALUES(1,1,0,'5328843f95bbe6965007c3f11a7e7e9e',1,'{"total_ms":0,"kind":"consent"}',1795901810521,1795901810529);
INSERT INTO "answer" VALUES(2,1,1,'db1c984d0ffd4b7541572c08a091691b',1,'{"total_ms":0,"kind":"questionnaire","values":{"age":32.0,"remark":"simulated"}}',1795901810546,1795901810548);
INSERT INTO "answer" VALUES(3,1,2,'13cab0cc638861a0a12c67c862a94899',1,'{"total_ms":0,"kind":"mushra","ratings":[{"position":0,"score":10.0,"first_touch_ms":1000},{"position":1,"score":100.0,"first_touch_ms":2000},{"position":2,"score":13.0,"first_touch_ms":3000},{"position":3,"score":2.0,"first_touch_ms":4000}],"heard":[{"position":-1,"plays":1,"seconds":1.0},{"position":0,"plays":1,"seconds":1.0},{"position":1,"plays":1,"seconds":1.0},{"position":2,"plays":1,"seconds":1.0},{"position":3,"plays":1,"seconds":1.0}],"comment":""}',1795901810640,1795901810646);
INSERT INTO "answer" VALUES(4,1,3,'e652b32b125686af4ef62f8efe9539f9',1,'{"total_ms":0,"kind":"mushra","ratings":[{"position":0,"score":100.0,"first_touch_ms":1000},{"position":1,"score":27.0,"first_touch_ms":2000},{"position":2,"score":17.0,"first_touch_ms":3000},{"position":3,"score":10.0,"first_touch_ms":4000}],"heard":[{"position":-1,"plays":1,"seconds":1.0},{"position":0,"plays":1,"seconds":1.0},{"position":1,"plays":1,"seconds":1.0},{"position":2,"plays":1,"seconds":1.0},{"position":3,"plays":1,"seconds":1.0}],"comment":""}',1795901810734,1795901810739);
INSERT INTO "answer" VALUES(5,2,0,'5be298ed5ef8f2c1a23177fd0f35de0c',1,'{"total_ms":0,"kind":"consent"}',1795901810796,1795901810801);
INSERT INTO "answer" VALUES(6,2,1,'0a8b88e9aa090c47fc08b8c6a7853d63',1,'{"total_ms":0,"kind":"questionnaire","values":{"age":32.0,"remark":"simulated"}}',1795901810805,1795901810808);
INSERT INTO "answer" VALUES(7,2,2,'4f40a9118beb62bdbf811876859eb1eb',1,'{"total_ms":0,"kind":"mushra","ratings":[{"position":0,"score":5.0,"first_touch_ms":1000},{"position":1,"score":100.0,"first_touch_ms":2000},{"position":2,"score":11.0,"first_touch_ms":3000},{"position":3,"score":17.0,"first_touch_ms":4000}],"heard":[{"position":-1,"plays":1,"seconds":1.0},{"position":0,"plays":1,"seconds":1.0},{"position":1,"plays":1,"seconds":1.0},{"position":2,"plays":1,"seconds":1.0},{"position":3,"plays":1,"seconds":1.0}],"comment":""}',1795901810870,1795901810878);
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	server_ms BIGINT NOT NULL, 
	what VARCHAR(40) NOT NULL, 
	detail TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE check_result (
	id INTEGER NOT NULL, 
	session INTEGER NOT NULL, 
	page INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	passed BOOLEAN NOT NULL, 
	server_ms BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(session) REFERENCES session (id) ON DELETE CASCADE
);
CREATE TABLE clip (
	id VARCHAR(32) NOT NULL, 
	session INTEGER NOT NULL, 
	stimulus VARCHAR(64) NOT NULL, 
	fetched INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(session) REFERENCES session (id) ON DELETE CASCADE
);
INSERT INTO "clip" VALUES('1d84cddf52f3524ffff9ee22fc6335c4',1,'6ef89e377d637e6fc9574cb036e7e421',1);
INSERT INTO "clip" VALUES('c8eb2f1ca03fcadb0cd3d92d73780b45',1,'da435180340bd7994efc743eeb668f1f',1);
INSERT INTO "clip" VALUES('2bc73b9d5e9545938de89b32d375c30b',1,'2f271593e832de6e8507c519c7cd2f75',1);
INSERT INTO "clip" VALUES('227074fefdfc2ff0e26b18a55e08a397',1,'1ab0aafa3d1dd08fbea475f43b1f86ce',1);
INSERT INTO "clip" VALUES('b936a997e28d2b3ab11883220e5f389b',1,'061f2e3b1046a1cc37deae9a10102c70',1);
INSERT INTO "clip" VALUES('6b675578497e22502e7ab562cf66bac3',1,'9249de57de00f09389185e63f3d03b3f',1);
INSERT INTO "clip" VALUES('f8228504a99abbb5fd9d77013185c06a',1,'555230e2d10bd67e89bc3244f38cc22d',1);
INSERT INTO "clip" VALUES('f2ea4df843f9d4d7ae90db3f086ee957',1,'629336d828e7d535921218f2f7b6692b',1);
INSERT INTO "clip" VALUES('2d035ebf45525008a500e2a82b95c377',1,'88cd6ec244f41d027adc4f189d0ed349',1);
INSERT INTO "clip" VALUES('cdd1dae8b93bef7a17a6228bf63b2e2e',1,'564c3d8ecbe296f15325f5a4acb13c28',1);
INSERT INTO "clip" VALUES('88371e308f750f0009ef20f23db4a221',2,'6ef89e377d637e6fc9574cb036e7e421',1);
INSERT INTO "clip" VALUES('e9e51dafbfefb4ea4fa9906bf634782e',2,'2f271593e832de6e8507c519c7cd2f75',1);
INSERT INTO "clip" VALUES('6775d70fd4dbbee0d38e6c009408ecbb',2,'1ab0aafa3d1dd08fbea475f43b1f86ce',1);
INSERT INTO "clip" VALUES('75fe0e767f8fcfdbf1eba48e24528047',2,'061f2e3b1046a1cc37deae9a10102c70',1);
INSERT INTO "clip" VALUES('197518a6e86f703bf7d89ca431f9d737',2,'da435180340bd7994efc743eeb668f1f',1);
INSERT INTO "clip" VALUES('0077cad7a5a06646b219aa60d38d2ace',2,'9249de57de00f09389185e63f3d03b3f',0);
INSERT INTO "clip" VALUES('57f798e0fe3d78a448bfe48abe94d4c9',2,'629336d828e7d535921218f2f7b6692b',0);
INSERT INTO "clip" VALUES('1b0bde6635cc0ce0b43e60dfe9364fe2',2,'88cd6ec244f41d027adc4f189d0ed349',0);
INSERT INTO "clip" VALUES('fe328ffdef221a78b27e455271804d4c',2,'564c3d8ecbe296f15325f5a4acb13c28',0);
INSERT INTO "clip" VALUES('b68fa8af202e5d53306f9d30626fdacc',2,'555230e2d10bd67e89bc3244f38cc22d',0);
INSERT INTO "clip" VALUES('4659ca34b3d23112f221a467fb8eabee',3,'6ef89e377d637e6fc9574cb036e7e421',0);
INSERT INTO "clip" VALUES('1f75046b8dca614129e64410067318e4',3,'da435180340bd7994efc743eeb668f1f',0);
INSERT INTO "clip" VALUES('96f06e14f2a910e69d6371e9e2375997',3,'2f271593e832de6e8507c519c7cd2f75',0);
INSERT INTO "clip" VALUES('5be2adcd1cab533facee002b50442d09',3,'1ab0aafa3d1dd08fbea475f43b1f86ce',0);
INSERT INTO "clip" VALUES('dab0d991d1862b8d73e9c3bc562254d2',3,'061f2e3b1046a1cc37deae9a10102c70',0);
INSERT INTO "clip" VALUES('cb24604b1d345ceebee3ad3e50cf119b',3,'9249de57de00f09389185e63f3d03b3f',0);
INSERT INTO "clip" VALUES('baaa02a8e621b6e73359d501b36b6d86',3,'555230e2d10bd67e89bc3244f38cc22d',0);
INSERT INTO "clip" VALUES('3c36eafdc962e4079f08fbd2273e48e4',3,'629336d828e7d535921218f2f7b6692b',0);
INSERT INTO "clip" VALUES('3555ed7c3b854dbf29b13db264ec15fa',3,'88cd6ec244f41d027adc4f189d0ed349',0);
INSERT INTO "clip" VALUES('9e525174922deafa2d5344fa1eb02fba',3,'564c3d8ecbe296f15325f5a4acb13c28',0);
CREATE TABLE collected (
	id INTEGER NOT NULL, 
	study VARCHAR(80) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	body BLOB NOT NULL, 
	server_ms BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (study, digest), 
	FOREIGN KEY(study) REFERENCES study (name)
);
INSERT INTO "collected" VALUES(1,'by-hand','228d6c575099572a2535e95f6e5eff82468b1d37dfda84e4608fb66351cee6fb',X'73657373696F6E4A534F4E3D7B22746573744964223A2274222C2275756964223A227531222C227061727469636970616E74223A7B226E616D65223A5B2272656D61726B225D2C22726573706F6E7365223A5B226120262062202B2063203D312B31225D7D2C22747269616C73223A5B7B226964223A2269222C2274797065223A226D7573687261222C22726573706F6E736573223A5B7B227374696D756C7573223A2263222C2273636F7265223A223431222C22636F6D6D656E74223A6E756C6C2C2274696D65223A357D5D7D5D7D',1795901810888);
CREATE TABLE event (
	id INTEGER NOT NULL, 
	session INTEGER NOT NULL, 
	n INTEGER NOT NULL, 
	t_ms BIGINT NOT NULL, 
	type VARCHAR(40) NOT NULL, 
	data TEXT NOT NULL, 
	server_ms BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(session) REFERENCES session (id) ON DELETE CASCADE
);
INSERT INTO "event" VALUES(1,1,1,5,'loop','{"a": 1.0}',1795901810750);
CREATE TABLE platform_id (
	session INTEGER NOT NULL, 
	name VARCHAR(40) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	PRIMARY KEY (session, name), 
	FOREIGN KEY(session) REFERENCES session (id) ON DELETE CASCADE
);
INSERT INTO "platform_id" VALUES(2,'PROLIFIC_PID','6fc0d7c41dfbbcb9ed8e9c4da36a338438b375cc871edcf7483f1da6154eb92f');
INSERT INTO "platform_id" VALUES(2,'STUDY_ID','73eea64f912152675eeea5a94b05236a06bfdcabe73a08ec974393134da21f27');
CREATE TABLE session (
	id INTEGER NOT NULL, 
	code VARCHAR(20) NOT NULL, 
	study VARCHAR(80) NOT NULL, 
	version VARCHAR(64) NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	request_hash VARCHAR(64) NOT NULL, 
	block VARCHAR(40) NOT NULL, 
	language VARCHAR(10) NOT NULL, 
	consent VARCHAR(64), 
	state VARCHAR(12) NOT NULL, 
	"plan" TEXT NOT NULL, 
	simulated BOOLEAN NOT NULL, 
	begun_ms BIGINT NOT NULL, 
	seen_ms BIGINT NOT NULL, 
	finished_ms BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (code), 
	FOREIGN KEY(study) REFERENCES study (name), 
	UNIQUE (token_hash), 
	UNIQUE (request_hash)
);
INSERT INTO "session" VALUES(1,'L-ZMUB4LK2','by-hand','ea267b26961b0d3b8a57e6807c0185bfc2dcd36755398db86bdfec506826a98e','993f111be531c7fdd1668daa7df34e35ffa8be31b012feab027e2cb120d57382','ebec56b1b31160c2fc2364247a11c51173c8e361c23d97c260ff9aaa16e95fbc','A','en','0000000000000000','finished','{"sample_rate":16000,"trials":2,"pages":[{"n":0,"kind":"consent","training":false,"trial":0,"reference":null,"stimuli":[],"peaks":[]},{"n":1,"kind":"questionnaire","training":false,"trial":0,"reference":null,"stimuli":[],"peaks":[]},{"n":2,"kind":"mushra","training":false,"trial":1,"reference":{"id":"1d84cddf52f3524ffff9ee22fc6335c4","samples":16000,"channels":1},"stimuli":[{"id":"c8eb2f1ca03fcadb0cd3d92d73780b45","samples":16000,"channels":1},{"id":"2bc73b9d5e9545938de89b32d375c30b","samples":16000,"channels":1},{"id":"227074fefdfc2ff0e26b18a55e08a397","samples":16000,"channels":1},{"id":"b936a997e28d2b3ab11883220e5f389b","samples":16000,"channels":1}],"peaks":[-50,50,-50,50,-50,50,-50,50]},{"n":3,"kind":"mushra","training":false,"trial":2,"reference":{"id":"6b675578497e22502e7ab562cf66bac3","samples":16000,"channels":1},"stimuli":[{"id":"f8228504a99abbb5fd9d77013185c06a","samples":16000,"channels":1},{"id":"f2ea4df843f9d4d7ae90db3f086ee957","samples":16000,"channels":1},{"id":"2d035ebf45525008a500e2a82b95c377","samples":16000,"channels":1},{"id":"cdd1dae8b93bef7a17a6228bf63b2e2e","samples":16000,"channels":1}],"peaks":[-50,50,-50,50,-50,50,-50,50]},{"n":4,"kind":"finish","training":false,"trial":0,"reference":null,"stimuli":[],"peaks":[]}]}',1,1795901810495,1795901810759,1795901810759);
INSERT INTO "session" VALUES(2,'L-PDBALN6M','by-hand','ea267b26961b0d3b8a57e6807c0185bfc2dcd36755398db86bdfec506826a98e','e6919f13a32973adfd9309344436cfb8a853dee8d348e36bc6218a34acef4c21','d2f9fa9d99bb30b2b67fc6b0ea2694f345c0961596e0fd82561010b4f7570c2d','B','en','0000000000000000','running','{"sample_rate":16000,"trials":2,"pages":[{"n":0,"kind":"consent","training":false,"trial":0,"reference":null,"stimuli":[],"peaks":[]},{"n":1,"kind":"questionnaire","training":false,"trial":0,"reference":null,"stimuli":[],"peaks":[]},{"n":2,"kind":"mushra","training":false,"trial":1,"reference":{"id":"88371e308f750f0009ef20f23db4a221","samples":16000,"channels":1},"stimuli":[{"id":"e9e51dafbfefb4ea4fa9906bf634782e","samples":16000,"channels":1},{"id":"6775d70fd4dbbee0d38e6c009408ecbb","samples":16000,"channels":1},{"id":"75fe0e767f8fcfdbf1eba48e24528047","samples":16000,"channels":1},{"id":"197518a6e86f703bf7d89ca431f9d737","samples":16000,"channels":1}],"peaks":[-50,50,-50,50,-50,50,-50,50]},{"n":3,"kind":"mushra","training":false,"trial":2,"reference":{"id":"0077cad7a5a06646b219aa60d38d2ace","samples":16000,"channels":1},"stimuli":[{"id":"57f798e0fe3d78a448bfe48abe94d4c9","samples":16000,"channels":1},{"id":"1b0bde6635cc0ce0b43e60dfe9364fe2","samples":16000,"channels":1},{"id":"fe328ffdef221a78b27e455271804d4c","samples":16000,"channels":1},{"id":"b68fa8af202e5d53306f9d30626fdacc","samples":16000,"channels":1}],"peaks":[-50,50,-50,50,-50,50,-50,50]},{"n":4,"kind":"finish","training":false,"trial":0,"reference":null,"stimuli":[],"peaks":[]}]}',0,1795901810776,1795901810878,NULL);
INSERT INTO "session" VALUES(3,'L-GUQ3J7KY','by-hand','ea267b26961b0d3b8a57e6807c0185bfc2dcd36755398db86bdfec506826a98e','af4e8fcb1cfffaaa20b19930408680b0d67844527d8607f1259d3bbb57a9a8d2','117c92168f61fdba911fdd665383911f93fe654e70ef43d4a32ff2d0835ead22','A','en','0000000000000000','running','{"sample_rate":16000,"trials":2,"pages":[{"n":0,"kind":"consent","training":false,"trial":0,"reference":null,"stimuli":[],"peaks":[]},{"n":1,"kind":"questionnaire","training":false,"trial":0,"reference":null,"stimuli":[],"peaks":[]},{"n":2,"kind":"mushra","training":false,"trial":1,"reference":{"id":"4659ca34b3d23112f221a467fb8eabee","samples":16000,"channels":1},"stimuli":[{"id":"1f75046b8dca614129e64410067318e4","samples":16000,"channels":1},{"id":"96f06e14f2a910e69d6371e9e2375997","samples":16000,"channels":1},{"id":"5be2adcd1cab533facee002b50442d09","samples":16000,"channels":1},{"id":"dab0d991d1862b8d73e9c3bc562254d2","samples":16000,"channels":1}],"peaks":[-50,50,-50,50,-50,50,-50,50]},{"n":3,"kind":"mushra","training":false,"trial":2,"reference":{"id":"cb24604b1d345ceebee3ad3e50cf119b","samples":16000,"channels":1},"stimuli":[{"id":"baaa02a8e621b6e73359d501b36b6d86","samples":16000,"channels":1},{"id":"3c36eafdc962e4079f08fbd2273e48e4","samples":16000,"channels":1},{"id":"3555ed7c3b854dbf29b13db264ec15fa","samples":16000,"channels":1},{"id":"9e525174922deafa2d5344fa1eb02fba","samples":16000,"channels":1}],"peaks":[-50,50,-50,50,-50,50,-50,50]},{"n":4,"kind":"finish","training":false,"trial":0,"reference":null,"stimuli":[],"peaks":[]}]}',1,1795901810786,1795901810786,NULL);
CREATE TABLE setting (
	name VARCHAR(40) NOT NULL, 
	value TEXT, 
	PRIMARY KEY (name)
);
INSERT INTO "setting" VALUES('schema','1');
INSERT INTO "setting" VALUES('salt','c50b6ff0e7491fb5cd06f298452bb4f3a49238a41d79ff73b0cb830bdd500982');
CREATE TABLE study (
	name VARCHAR(80) NOT NULL, 
	version VARCHAR(64) NOT NULL, 
	paused BOOLEAN NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "study" VALUES('by-hand','ea267b26961b0d3b8a57e6807c0185bfc2dcd36755398db86bdfec506826a98e',0);
CREATE INDEX session_study ON session (study, state);
CREATE INDEX ix_collected_study ON collected (study);
CREATE INDEX ix_platform_id_hash ON platform_id (hash);
CREATE INDEX ix_clip_session ON clip (session);
CREATE INDEX ix_event_session ON event (session);
CREATE INDEX ix_check_result_session ON check_result (session);
COMMIT;
